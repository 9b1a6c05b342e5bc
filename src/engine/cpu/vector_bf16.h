/* Activations of bfloat16: the upper halves of float32, rounded to nearest, ties to even. */
#include "engine/cpu/vector.h"

typedef uint16_t element;

static inline vector load(const element *from)
{
    halves value;
    memcpy(&value, from, sizeof value);
    return (vector)(__builtin_convertvector(value, bits) << 16);
}

/* Of what an element can be exactly. */
static inline void store_exact(vector value, element *to)
{
    halves result = __builtin_convertvector((bits)value >> 16, halves);
    memcpy(to, &result, sizeof result);
}

static inline void store(vector value, element *to)
{
    bits exact = (bits)value, rounded = exact + 0x7fffu + (exact >> 16 & 1u);
    bits quiet = exact | 0x400000u;
    mask nan = value != value;
    bits chosen = (bits)select(nan, (vector)quiet, (vector)rounded);
    halves result = __builtin_convertvector(chosen >> 16, halves);
    memcpy(to, &result, sizeof result);
}
