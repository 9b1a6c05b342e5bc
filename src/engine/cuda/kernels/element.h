/* What kernels read and write: 8 channels at one position at a time, as float32. */
#ifndef I3D_ENGINE_CUDA_ELEMENT_H
#define I3D_ENGINE_CUDA_ELEMENT_H

#include "engine/cuda/kernels/phase.h"

#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#else
#include <math.h>
#include <string.h>
#endif

enum { OCTET = 8 };

struct octet {
    float at[OCTET];
};

/* Two elements of 16 bits as float32, and back, to the nearest. */
#ifdef __CUDACC__

DEVICE float2 unpack_pair(uint32_t bits, enum element type)
{
    if (type == ELEMENT_BF16)
        return make_float2(__uint_as_float(bits << 16), __uint_as_float(bits & 0xffff0000u));
    return __half22float2(*(const __half2 *)&bits);
}

DEVICE uint32_t pack_pair(float low, float high, enum element type)
{
    if (type == ELEMENT_BF16) {
        __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
        return *(const uint32_t *)&pair;
    }
    __half2 pair = __floats2half2_rn(low, high);
    return *(const uint32_t *)&pair;
}

/* The larger of each; what is no number goes through. */
DEVICE uint32_t larger_pair(uint32_t a, uint32_t b, enum element type)
{
    if (type == ELEMENT_BF16) {
        __nv_bfloat162 pair = __hmax2_nan(*(const __nv_bfloat162 *)&a, *(const __nv_bfloat162 *)&b);
        return *(const uint32_t *)&pair;
    }
    __half2 pair = __hmax2_nan(*(const __half2 *)&a, *(const __half2 *)&b);
    return *(const uint32_t *)&pair;
}

/* All bits of each that is larger than the other, or no number. */
DEVICE uint32_t beating_pair(uint32_t a, uint32_t than, enum element type)
{
    if (type == ELEMENT_BF16) {
        __nv_bfloat162 pair = *(const __nv_bfloat162 *)&a;
        return __hgt2_mask(pair, *(const __nv_bfloat162 *)&than) | __hneu2_mask(pair, pair);
    }
    __half2 pair = *(const __half2 *)&a;
    return __hgt2_mask(pair, *(const __half2 *)&than) | __hneu2_mask(pair, pair);
}

#else

typedef struct {
    float x, y;
} float2;

static inline float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t bits_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* The nearest multiple of `unit`, even where two are equally near. */
static inline uint32_t round_bits(uint32_t bits, int unit)
{
    uint32_t half = 1u << (unit - 1);
    return (bits + half - 1 + (bits >> unit & 1)) >> unit;
}

static inline float float_of_half(uint32_t half)
{
    uint32_t sign = (half & 0x8000) << 16, rest = half & 0x7fff;
    if (rest >= 0x7c00) /* infinite, not a number */
        return float_of_bits(sign | 0x7f800000 | rest << 13);
    if (rest < 0x400) /* without a leading 1: a multiple of 2^-24 */
        return float_of_bits(sign | bits_of_float((float)rest * 0x1p-24f));
    return float_of_bits(sign | ((rest << 13) + (112u << 23)));
}

static inline uint32_t half_of_float(float value)
{
    uint32_t bits = bits_of_float(value), sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff;
    if (rest > 0x7f800000)
        return sign | 0x7e00;
    if (rest >= 0x477ff000) /* rounds to what is too large */
        return sign | 0x7c00;
    if (rest < 0x38800000) /* adding 2^-1 leaves multiples of 2^-24 */
        return sign | (bits_of_float(float_of_bits(rest) + .5f) - bits_of_float(.5f));
    return sign | round_bits(rest - (112u << 23), 13);
}

static inline uint32_t bf16_of_float(float value)
{
    uint32_t bits = bits_of_float(value);
    return (bits & 0x7fffffff) > 0x7f800000 ? 0x7fff : round_bits(bits, 16);
}

static inline float2 unpack_pair(uint32_t bits, enum element type)
{
    float2 pair = { float_of_half(bits & 0xffff), float_of_half(bits >> 16) };
    if (type == ELEMENT_BF16) {
        pair.x = float_of_bits(bits << 16);
        pair.y = float_of_bits(bits & 0xffff0000u);
    }
    return pair;
}

static inline uint32_t beating_pair(uint32_t a, uint32_t than, enum element type)
{
    float2 x = unpack_pair(a, type), y = unpack_pair(than, type);
    return (x.x > y.x || x.x != x.x ? 0xffffu : 0) | (x.y > y.y || x.y != x.y ? 0xffff0000u : 0);
}

static inline uint32_t larger_pair(uint32_t a, uint32_t b, enum element type)
{
    uint32_t first = beating_pair(a, b, type);
    return (a & first) | (b & ~first);
}

static inline uint32_t pack_pair(float low, float high, enum element type)
{
    return type == ELEMENT_BF16 ? bf16_of_float(low) | bf16_of_float(high) << 16
                                : half_of_float(low) | half_of_float(high) << 16;
}

#endif

DEVICE float load1(const void *data, size_t at, enum element type)
{
    return type == ELEMENT_F32 ? ((const float *)data)[at]
                               : unpack_pair(((const uint16_t *)data)[at], type).x;
}

DEVICE void store1(float value, void *data, size_t at, enum element type)
{
    if (type == ELEMENT_F32)
        ((float *)data)[at] = value;
    else
        ((uint16_t *)data)[at] = (uint16_t)(pack_pair(value, 0, type) & 0xffff);
}

/* 16 bytes. */
struct __attribute__((aligned(16))) quad {
    uint32_t at[4];
};
struct __attribute__((aligned(16))) float_quad {
    float at[4];
};

DEVICE struct octet load_wide(const void *data, size_t at, enum element type)
{
    struct octet out;
    if (type == ELEMENT_F32) {
        const struct float_quad *from = (const struct float_quad *)((const float *)data + at);
        struct float_quad low = from[0], high = from[1];
        UNROLL
        for (int i = 0; i < 4; i++) {
            out.at[i] = low.at[i];
            out.at[4 + i] = high.at[i];
        }
    } else {
        struct quad bits = *(const struct quad *)((const uint16_t *)data + at);
        UNROLL
        for (int i = 0; i < 4; i++) {
            float2 pair = unpack_pair(bits.at[i], type);
            out.at[2 * i] = pair.x;
            out.at[2 * i + 1] = pair.y;
        }
    }
    return out;
}

DEVICE void store_wide(const struct octet *value, void *data, size_t at, enum element type)
{
    if (type == ELEMENT_F32) {
        struct float_quad *to = (struct float_quad *)((float *)data + at), low, high;
        UNROLL
        for (int i = 0; i < 4; i++) {
            low.at[i] = value->at[i];
            high.at[i] = value->at[4 + i];
        }
        to[0] = low;
        to[1] = high;
    } else {
        struct quad bits;
        UNROLL
        for (int i = 0; i < 4; i++)
            bits.at[i] = pack_pair(value->at[2 * i], value->at[2 * i + 1], type);
        *(struct quad *)((uint16_t *)data + at) = bits;
    }
}

/* Which 8 channels of a view: from `channel` on, `count` of them; the others read as 0 and are not
 * written. `wide`: all 8, and 16 bytes at a time (view_is_wide()). */
struct column {
    int channel, count;
    bool wide;
};

static inline bool view_is_wide(const struct view *view)
{
    return view->channels % OCTET == 0 && view->pitch % OCTET == 0 &&
           (uintptr_t)view->data % 16 == 0;
}

DEVICE struct column column_of(int channels, bool wide, unsigned octet)
{
    struct column column;
    column.channel = (int)octet * OCTET;
    column.count = channels - column.channel < OCTET ? channels - column.channel : OCTET;
    column.wide = wide;
    return column;
}

DEVICE struct octet load8(const struct view *view, size_t position, struct column column,
                          enum element type)
{
    size_t at = position * view->pitch + (size_t)column.channel;
    struct octet out;
    if (column.wide)
        return load_wide(view->data, at, type);
    UNROLL
    for (int i = 0; i < OCTET; i++)
        out.at[i] = i < column.count ? load1(view->data, at + (size_t)i, type) : 0;
    return out;
}

DEVICE void store8(const struct octet *value, const struct view *view, size_t position,
                   struct column column, enum element type)
{
    size_t at = position * view->pitch + (size_t)column.channel;
    if (column.wide) {
        store_wide(value, view->data, at, type);
        return;
    }
    UNROLL
    for (int i = 0; i < OCTET; i++)
        if (i < column.count)
            store1(value->at[i], view->data, at + (size_t)i, type);
}

/* 8 elements of 16 bits as they are. */
DEVICE struct quad load8_bits(const struct view *view, size_t position, struct column column)
{
    const uint16_t *from =
        (const uint16_t *)view->data + position * view->pitch + (size_t)column.channel;
    struct quad out;
    if (column.wide)
        return *(const struct quad *)from;
    UNROLL
    for (int i = 0; i < 4; i++) {
        uint32_t low = 2 * i < column.count ? from[2 * i] : 0;
        uint32_t high = 2 * i + 1 < column.count ? from[2 * i + 1] : 0;
        out.at[i] = low | high << 16;
    }
    return out;
}

DEVICE void store8_bits(const struct quad *value, const struct view *view, size_t position,
                        struct column column)
{
    uint16_t *to = (uint16_t *)view->data + position * view->pitch + (size_t)column.channel;
    if (column.wide) {
        *(struct quad *)to = *value;
        return;
    }
    UNROLL
    for (int i = 0; i < OCTET; i++)
        if (i < column.count)
            to[i] = (uint16_t)(value->at[i / 2] >> i % 2 * 16 & 0xffff);
}

/* The same of float32 numbers, one a channel; `otherwise` where they are NULL or there is no
 * channel. */
DEVICE struct octet load_factors(const float *factors, struct column column, float otherwise)
{
    struct octet out;
    UNROLL
    for (int i = 0; i < OCTET; i++)
        out.at[i] = factors && i < column.count ? factors[column.channel + i] : otherwise;
    return out;
}

DEVICE struct octet fill8(float value)
{
    struct octet out;
    UNROLL
    for (int i = 0; i < OCTET; i++)
        out.at[i] = value;
    return out;
}

/* Division by what the launcher knows, of numbers below 2^31. */
struct divider {
    uint32_t by, multiply, shift;
};

static inline struct divider divider_of(size_t by)
{
    struct divider divider = { (uint32_t)by, 0, 31 };
    while (((uint64_t)1 << (divider.shift - 31)) < by)
        divider.shift++;
    divider.multiply = (uint32_t)((((uint64_t)1 << divider.shift) + by - 1) / by);
    return divider;
}

DEVICE uint32_t divide(uint32_t number, const struct divider *divider)
{
    return (uint32_t)((uint64_t)number * divider->multiply >> divider->shift);
}

/* Divides `number` and gives back the rest. */
DEVICE uint32_t split(uint32_t *number, const struct divider *divider)
{
    uint32_t whole = divide(*number, divider), rest = *number - whole * divider->by;
    *number = whole;
    return rest;
}

/* Blocks of `each` that cover `count`. */
static inline size_t cover(size_t count, size_t each)
{
    return (count + each - 1) / each;
}

#endif
