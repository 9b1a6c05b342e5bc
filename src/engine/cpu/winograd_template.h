/* Winograd's convolutions for one width of vector: LANES, ROWS (tiles, or channels, of a product
 * that are held in registers) and TABLE are given.
 *
 *   transformed tiles   [group][point][tile of the group][depth]
 *   transformed weights [panel][point][depth][2 LANES], so is their gradient
 *   products            [tile of the group][point][2 LANES], of one group and panel
 *   transformed results [group][point][panel][tile of the group][2 LANES], of a gradient */
#include "engine/cpu/winograd.h"

#include <omp.h>
#include <stdint.h>
#include <string.h>

typedef float vector __attribute__((vector_size(4 * LANES)));

#include "engine/cpu/winograd_points.h"

enum { PANEL = 2 * LANES, POINTS_MAX = 384 };

INLINE vector load_vector(const float *from)
{
    vector value;
    memcpy(&value, from, sizeof value);
    return value;
}

INLINE void store_vector(vector value, float *to)
{
    memcpy(to, &value, sizeof value);
}

/* max(0, value); a NaN stays. */
INLINE vector cut(vector value)
{
    typedef int32_t mask __attribute__((vector_size(4 * LANES)));
    return (vector)((mask)value & ~(mask)(value < 0));
}

/* The points of a kind of tile along one axis. A constant where `tile` is one. */
INLINE int axis_points(const enum winograd_tile tile, const int d)
{
    static const int points[TILE_COUNT][3] = { [TILE_2X4X4] = { 4, 6, 6 },
                                               [TILE_4X4X4] = { 6, 6, 6 },
                                               [TILE_3X3X3] = { 6, 6, 6 },
                                               [TILE_3X5X5] = { 6, 8, 8 } };
    return points[tile][d];
}

INLINE int axis_taps(const enum winograd_tile tile)
{
    return tile == TILE_3X3X3 || tile == TILE_3X5X5 ? 4 : 3;
}

INLINE int axis_results(const enum winograd_tile tile, const int d)
{
    return axis_points(tile, d) + 1 - axis_taps(tile);
}

INLINE int tile_results(const enum winograd_tile tile)
{
    return axis_results(tile, 0) * axis_results(tile, 1) * axis_results(tile, 2);
}

struct place {
    int sample, at[3]; /* first result of a tile */
};

INLINE struct place place_of(const struct winograd *winograd, const enum winograd_tile tile,
                             int number)
{
    struct place place;
    for (int d = 2; d >= 0; d--) {
        place.at[d] = number % winograd->tiles[d] * axis_results(tile, d);
        number /= winograd->tiles[d];
    }
    place.sample = number;
    return place;
}

INLINE size_t map_floats(const int size[3])
{
    return (size_t)size[0] * (size_t)size[1] * (size_t)size[2];
}

/* Transforms along all axes, in place: from [p0][p1][p2]; along the first axis to `to`, whose
 * points are `stride` floats apart. */
INLINE void transform_tile(const enum winograd_tile tile, vector *work, float *to, size_t stride)
{
    const int p0 = axis_points(tile, 0), p1 = axis_points(tile, 1), p2 = axis_points(tile, 2);
    for (int t = 0; t < p0; t++) {
        vector *plane = work + t * p1 * p2;
        for (int h = 0; h < p1; h++)
            transform_inputs(p2, plane + h * p2, 1, plane + h * p2, 1);
        for (int w = 0; w < p2; w++)
            transform_inputs(p1, plane + w, (size_t)p2, plane + w, (size_t)p2);
    }
    for (int i = 0; i < p1 * p2; i++) {
        vector column[8];
        transform_inputs(p0, work + i, (size_t)(p1 * p2), column, 1);
        UNROLL
        for (int t = 0; t < p0; t++)
            store_vector(column[t], to + (size_t)(t * p1 * p2 + i) * stride);
    }
}

/* A row of `count` positions from column `first` on, 0 where there are none. */
INLINE void load_row(const int count, const float *row, int first, int width, vector *to)
{
    if (first >= 0 && first + count <= width) {
        UNROLL
        for (int i = 0; i < count; i++)
            to[i] = load_vector(row + (ptrdiff_t)(first + i) * LANES);
        return;
    }
    for (int i = 0; i < count; i++) {
        int column = first + i;
        to[i] = column >= 0 && column < width ? load_vector(row + (ptrdiff_t)column * LANES)
                                              : (vector){ 0 };
    }
}

INLINE void load_tile(const int counts[3], const float *plane, const int size[3],
                      const int first[3], vector *to)
{
    for (int i = 0; i < counts[0] * counts[1]; i++) {
        int t = first[0] + i / counts[1], h = first[1] + i % counts[1];
        vector *row = to + i * counts[2];
        if (t >= 0 && t < size[0] && h >= 0 && h < size[1])
            load_row(counts[2], plane + ((ptrdiff_t)t * size[1] + h) * size[2] * LANES, first[2],
                     size[2], row);
        else
            memset(row, 0, (size_t)counts[2] * sizeof *row);
    }
}

/* Two floats side by side, moved as one. */
typedef int64_t pairs __attribute__((vector_size(32)));

INLINE pairs load_pairs(const float *from)
{
    pairs value;
    memcpy(&value, from, sizeof value);
    return value;
}

/* Four rows of four pairs to four columns, LANES apart. */
INLINE void store_columns(pairs a, pairs b, pairs c, pairs d, float *to)
{
    pairs low = __builtin_shufflevector(a, b, 0, 4, 2, 6);
    pairs high = __builtin_shufflevector(a, b, 1, 5, 3, 7);
    pairs low_2 = __builtin_shufflevector(c, d, 0, 4, 2, 6);
    pairs high_2 = __builtin_shufflevector(c, d, 1, 5, 3, 7);
    pairs columns[] = { __builtin_shufflevector(low, low_2, 0, 1, 4, 5),
                        __builtin_shufflevector(high, high_2, 0, 1, 4, 5),
                        __builtin_shufflevector(low, low_2, 2, 3, 6, 7),
                        __builtin_shufflevector(high, high_2, 2, 3, 6, 7) };
    UNROLL
    for (int i = 0; i < 4; i++)
        memcpy(to + (size_t)i * LANES, &columns[i], 32);
}

/* Floats from column `first` on of a row, 0 where there are none; `row` NULL: nowhere. */
static const float *reach_row(const int count, const float *row, int first, int width, float *edge)
{
    if (row && first >= 0 && first + count <= width)
        return row + first;
    for (int i = 0; i < count; i++)
        edge[i] = row && first + i >= 0 && first + i < width ? row[first + i] : 0;
    return edge;
}

/* The eight phases of row-major channels: lane 8 c + 4 pt + 2 ph + pw. */
static void load_phases(const int counts[3], const float *channel, size_t channels,
                        const int size[3], const int first[3], vector *to)
{
    const int floats = (2 * counts[2] + 7) / 8 * 8; /* what is behind a row comes before the next */
    if (channels * 8 < LANES)
        memset(to, 0, (size_t)(counts[0] * counts[1] * counts[2]) * sizeof *to);
    for (size_t c = 0; c < channels && c < LANES / 8; c++, channel += map_floats(size))
        for (int i = 0; i < counts[0] * counts[1]; i++) {
            float edges[4][16], *lane = (float *)(to + i * counts[2]) + c * 8;
            const float *rows[4];
            UNROLL
            for (int phase = 0; phase < 4; phase++) {
                int t = first[0] + i / counts[1] * 2 + phase / 2;
                int h = first[1] + i % counts[1] * 2 + phase % 2;
                bool inside = t >= 0 && t < size[0] && h >= 0 && h < size[1];
                ptrdiff_t row = ((ptrdiff_t)t * size[1] + h) * size[2];
                rows[phase] = reach_row(floats, inside ? channel + row : NULL, first[2], size[2],
                                        edges[phase]);
            }
            for (int k = 0; k < floats; k += 8)
                store_columns(load_pairs(rows[0] + k), load_pairs(rows[1] + k),
                              load_pairs(rows[2] + k), load_pairs(rows[3] + k),
                              lane + (size_t)(k / 2) * LANES);
        }
}

/* One vector of channels of one tile. */
INLINE void transform_input(const struct winograd *winograd, const enum winograd_tile tile,
                            const float *in, struct place place, int block, float *to)
{
    const int counts[] = { axis_points(tile, 0), axis_points(tile, 1), axis_points(tile, 2) };
    size_t map = map_floats(winograd->size_in);
    vector work[POINTS_MAX];
    int first[3];
    for (int d = 0; d < 3; d++)
        first[d] = place.at[d] * (axis_taps(tile) == 4 ? 2 : 1) - winograd->front[d];
    if (axis_taps(tile) == 4) {
        size_t channels = (size_t)winograd->in_channels, channel = (size_t)block * (LANES / 8);
        load_phases(counts, in + ((size_t)place.sample * channels + channel) * map,
                    channels - channel, winograd->size_in, first, work);
    } else {
        size_t number = (size_t)(place.sample * (winograd->depth / LANES) + block);
        load_tile(counts, in + number * map * LANES, winograd->size_in, first, work);
    }
    transform_tile(tile, work, to, winograd_point_stride(winograd->depth));
}

/* Lines of the next point's panel that each of a group's calls of multiply() asks for, for each
 * vector of its depth. */
enum { AHEAD_LINES = LANES * PANEL / 16 * ROWS / WINOGRAD_GROUP };

/* out[r] = rows[r] * panel, for ROWS rows or fewer. What the next call reads is asked for: the rows
 * behind these, and a part of the next panel, `ahead`. */
INLINE void multiply(const int count, int depth, const float *rows, const float *panel,
                     const float *ahead, float *out, size_t out_stride)
{
    vector sum[ROWS][2] = { { { 0 } } };
    for (int first = 0; first < depth; first += LANES) {
        UNROLL
        for (int r = 0; r < count; r++)
            __builtin_prefetch(rows + (size_t)(r + count) * (size_t)depth + first);
        for (int i = 0; i < AHEAD_LINES; i++, ahead += 16)
            __builtin_prefetch(ahead);
        for (int k = first; k < first + LANES; k++, panel += PANEL) {
            vector left = load_vector(panel), right = load_vector(panel + LANES);
            UNROLL
            for (int r = 0; r < count; r++) {
                float factor = rows[(size_t)r * (size_t)depth + (size_t)k];
                sum[r][0] += factor * left;
                sum[r][1] += factor * right;
            }
        }
    }
    UNROLL
    for (int r = 0; r < count; r++) {
        store_vector(sum[r][0], out + (size_t)r * out_stride);
        store_vector(sum[r][1], out + (size_t)r * out_stride + LANES);
    }
}

/* A group of tiles at one point. */
static void multiply_group(int count, int depth, const float *rows, const float *panel, float *out,
                           size_t out_stride)
{
    const float *ahead = panel + (size_t)depth * PANEL;
    int r = 0;
    for (; r + ROWS <= count; r += ROWS) {
        multiply(ROWS, depth, rows + (size_t)r * (size_t)depth, panel, ahead,
                 out + (size_t)r * out_stride, out_stride);
        ahead += depth / LANES * AHEAD_LINES * 16;
    }
    for (; r + 4 <= count; r += 4)
        multiply(4, depth, rows + (size_t)r * (size_t)depth, panel, ahead,
                 out + (size_t)r * out_stride, out_stride);
    for (; r < count; r++)
        multiply(1, depth, rows + (size_t)r * (size_t)depth, panel, ahead,
                 out + (size_t)r * out_stride, out_stride);
}

/* From the products of a panel of a tile to its results, [half][m0][m1][m2]. */
INLINE void collect_tile(const enum winograd_tile tile, const float *products, vector *to)
{
    const int p0 = axis_points(tile, 0), p1 = axis_points(tile, 1), p2 = axis_points(tile, 2);
    const int m0 = axis_results(tile, 0), m1 = axis_results(tile, 1), m2 = axis_results(tile, 2);
    vector work[POINTS_MAX];
    for (int i = 0; i < 2 * p1 * p2; i++) {
        vector column[8];
        UNROLL
        for (int t = 0; t < p0; t++)
            column[t] = load_vector(products + (size_t)(t * 2 * p1 * p2 + i) * LANES);
        collect(p0, m0, column, 1, work + i / 2 + i % 2 * m0 * p1 * p2, (size_t)(p1 * p2));
    }
    for (int t = 0; t < 2 * m0; t++) {
        vector *plane = work + t * p1 * p2;
        for (int w = 0; w < p2; w++)
            collect(p1, m1, plane + w, (size_t)p2, plane + w, (size_t)p2);
        for (int h = 0; h < m1; h++)
            collect(p2, m2, plane + h * p2, 1, to + (t * m1 + h) * m2, 1);
    }
}

INLINE int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Results that are there; `bias` as in run(). */
INLINE void store_tile(const struct winograd *winograd, const enum winograd_tile tile,
                       const vector *from, const int at[3], const float *bias, float *plane)
{
    const int m1 = axis_results(tile, 1), m2 = axis_results(tile, 2);
    const int *size = winograd->size_out;
    int end[3];
    vector shift = bias ? load_vector(bias) : (vector){ 0 };
    for (int d = 0; d < 3; d++)
        end[d] = smaller(axis_results(tile, d), size[d] - at[d]);
    for (int t = 0; t < end[0]; t++)
        for (int h = 0; h < end[1]; h++) {
            const vector *row = from + (t * m1 + h) * m2;
            float *to =
                plane + (((ptrdiff_t)(at[0] + t) * size[1] + at[1] + h) * size[2] + at[2]) * LANES;
            for (int w = 0; w < end[2]; w++) {
                vector value = row[w] + shift;
                if (bias)
                    value = cut(value);
                store_vector(value, to + w * LANES);
            }
        }
}

INLINE void finish_group(const struct winograd *winograd, const enum winograd_tile tile, int first,
                         int count, int panel, const float *products, const float *bias, float *out)
{
    size_t map = map_floats(winograd->size_out), stride = (size_t)winograd->points * PANEL;
    int blocks = (winograd->channels + LANES - 1) / LANES;
    for (int i = 0; i < count; i++) {
        struct place place = place_of(winograd, tile, first + i);
        vector results[POINTS_MAX];
        collect_tile(tile, products + (size_t)i * stride, results);
        for (int half = 0; half < 2 && 2 * panel + half < blocks; half++) {
            size_t block = (size_t)(2 * panel + half);
            store_tile(winograd, tile, results + half * tile_results(tile), place.at,
                       bias ? bias + block * LANES : NULL,
                       out + ((size_t)(place.sample * blocks) + block) * map * LANES);
        }
    }
}

INLINE int tile_count(const struct winograd *winograd)
{
    return winograd->samples * winograd->tiles[0] * winograd->tiles[1] * winograd->tiles[2];
}

/* Where tile `number` of a block has the channels of its first point. */
INLINE float *tile_at(const struct winograd *winograd, int depth, int number, float *tiles)
{
    size_t group = (size_t)(number / WINOGRAD_GROUP), within = (size_t)(number % WINOGRAD_GROUP);
    return tiles + group * winograd_group_floats(winograd, depth) + within * (size_t)depth;
}

/* Called by a team; ends with a barrier, as the loops below do. */
INLINE void transform_block(const struct winograd *winograd, const enum winograd_tile tile,
                            int first, int count, const float *in, float *to)
{
    int blocks = winograd->depth / LANES;
#pragma omp for schedule(dynamic, 4)
    for (int i = 0; i < count * blocks; i++)
        transform_input(
            winograd, tile, in, place_of(winograd, tile, first + i / blocks), i % blocks,
            tile_at(winograd, winograd->depth, i / blocks, to) + (size_t)(i % blocks) * LANES);
}

INLINE void multiply_block(const struct winograd *winograd, const enum winograd_tile tile,
                           int first, int count, const float *tiles, const float *transformed,
                           const float *bias, float *out, float *products)
{
    int depth = winograd->depth, points = winograd->points;
    int groups = (count + WINOGRAD_GROUP - 1) / WINOGRAD_GROUP;
    size_t stride = winograd_point_stride(depth);
#pragma omp for schedule(dynamic)
    for (int i = 0; i < winograd->panels * groups; i++) {
        int panel = i / groups, begin = i % groups * WINOGRAD_GROUP;
        int length = smaller(WINOGRAD_GROUP, count - begin);
        const float *rows = tiles + (size_t)(i % groups) * winograd_group_floats(winograd, depth);
        const float *weights = transformed + (size_t)panel * (size_t)points * (size_t)depth * PANEL;
        for (int p = 0; p < points; p++)
            multiply_group(length, depth, rows + (size_t)p * stride,
                           weights + (size_t)p * (size_t)depth * PANEL, products + p * PANEL,
                           (size_t)points * PANEL);
        finish_group(winograd, tile, first + begin, length, panel, products, bias, out);
    }
}

INLINE void run_tiles(const struct winograd *winograd, const enum winograd_tile tile,
                      const float *in, const float *transformed, const float *bias, float *out,
                      float *scratch)
{
    size_t points = (size_t)winograd->points;
    float *products = scratch + winograd_block_floats(winograd, winograd->depth);
    int tiles = tile_count(winograd);
    for (int first = 0; first < tiles; first += winograd->block) {
        int length = smaller(winograd->block, tiles - first);
        transform_block(winograd, tile, first, length, in, scratch);
        multiply_block(winograd, tile, first, length, scratch, transformed, bias, out,
                       products + (size_t)omp_get_thread_num() * WINOGRAD_GROUP * points * PANEL);
    }
}

#include "engine/cpu/winograd_weights_template.h"

/* Each kind of tile is compiled for itself: its transforms have no loops left. */
#define EACH_TILE(call)                                                                            \
    switch (winograd->tile) {                                                                      \
    case TILE_2X4X4:                                                                               \
        call(TILE_2X4X4);                                                                          \
        break;                                                                                     \
    case TILE_4X4X4:                                                                               \
        call(TILE_4X4X4);                                                                          \
        break;                                                                                     \
    case TILE_3X3X3:                                                                               \
        call(TILE_3X3X3);                                                                          \
        break;                                                                                     \
    case TILE_3X5X5:                                                                               \
        call(TILE_3X5X5);                                                                          \
        break;                                                                                     \
    case TILE_COUNT:                                                                               \
        break;                                                                                     \
    }

static void load(const struct winograd *winograd, const float *weight, float *transformed)
{
#define LOAD(tile) load_tiles(winograd, tile, weight, transformed)
#pragma omp parallel
    EACH_TILE(LOAD)
#undef LOAD
}

static void run(const struct winograd *winograd, const float *in, const float *transformed,
                const float *bias, float *out, float *scratch)
{
#define RUN(tile) run_tiles(winograd, tile, in, transformed, bias, out, scratch)
#pragma omp parallel
    EACH_TILE(RUN)
#undef RUN
}

static void run_weights(const struct winograd *winograd, const float *in, const float *out_gradient,
                        float *weight_gradient, float *scratch)
{
#define RUN_WEIGHTS(tile)                                                                          \
    run_weights_tiles(winograd, tile, in, out_gradient, weight_gradient, scratch)
#pragma omp parallel
    EACH_TILE(RUN_WEIGHTS)
#undef RUN_WEIGHTS
}

const struct winograd_kernels TABLE = {
    .lanes = LANES, .load = load, .run = run, .run_weights = run_weights
};
