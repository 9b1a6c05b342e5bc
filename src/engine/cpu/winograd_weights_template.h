/* Between weights as they are and at the points of Winograd's tiles, and the pass to their
 * gradient. */

/* Where the taps of input `depth` are in a window [kt, kh, kw], -1: nowhere. */
static void find_taps(const struct winograd *winograd, const enum winograd_tile tile, int depth,
                      ptrdiff_t *to)
{
    const int taps = axis_taps(tile), *kernel = winograd->kernel;
    for (int i = 0; i < taps * taps * taps; i++) {
        int tap[] = { i / taps / taps, i / taps % taps, i % taps };
        bool inside = true;
        for (int d = 0; d < 3; d++) {
            if (taps == 4)
                tap[d] = 2 * tap[d] + (depth >> (2 - d) & 1);
            if (winograd->turned)
                tap[d] = kernel[d] - 1 - tap[d];
            inside = inside && tap[d] < kernel[d];
        }
        to[i] = inside ? ((ptrdiff_t)tap[0] * kernel[1] + tap[1]) * kernel[2] + tap[2] : -1;
    }
}

/* Where the window of result `channel` and input `depth` begins in [out, in, kt, kh, kw]. */
static size_t window_offset(const struct winograd *winograd, const enum winograd_tile tile,
                            int channel, int depth)
{
    int in = depth / (axis_taps(tile) == 4 ? 8 : 1);
    int number =
        winograd->turned ? in * winograd->channels + channel : channel * winograd->in_channels + in;
    return (size_t)number * map_floats(winograd->kernel);
}

/* Results of a vector that there are for input `depth`. */
static int lane_count(const struct winograd *winograd, const enum winograd_tile tile, int channel,
                      int depth)
{
    bool inside = depth / (axis_taps(tile) == 4 ? 8 : 1) < winograd->in_channels;
    return inside ? smaller(LANES, winograd->channels - channel) : 0;
}

static void load_taps(const struct winograd *winograd, const enum winograd_tile tile, int channel,
                      int depth, const float *weight, vector *to)
{
    const int taps = axis_taps(tile), count = taps * taps * taps;
    float *lanes = (float *)to;
    ptrdiff_t offsets[64];
    memset(to, 0, (size_t)count * sizeof *to);
    find_taps(winograd, tile, depth, offsets);
    for (int lane = 0; lane < lane_count(winograd, tile, channel, depth); lane++) {
        const float *window = weight + window_offset(winograd, tile, channel + lane, depth);
        for (int i = 0; i < count; i++)
            if (offsets[i] >= 0)
                lanes[i * LANES + lane] = window[offsets[i]];
    }
}

/* Polynomials [counts] at the points of the last two axes: [counts[0]][p1][p2]. */
INLINE void evaluate_planes(const int counts[3], const int p1, const int p2, const vector *from,
                            vector *work)
{
    for (int t = 0; t < counts[0]; t++) {
        vector *plane = work + t * p1 * p2;
        for (int h = 0; h < counts[1]; h++)
            evaluate(p2, counts[2], from + (t * counts[1] + h) * counts[2], 1, plane + h * p2, 1);
        for (int w = 0; w < p2; w++)
            evaluate(p1, counts[1], plane + w, (size_t)p2, plane + w, (size_t)p2);
    }
}

INLINE void evaluate_taps(const enum winograd_tile tile, const vector *from, float *to,
                          size_t stride)
{
    const int p0 = axis_points(tile, 0), p1 = axis_points(tile, 1), p2 = axis_points(tile, 2);
    const int taps = axis_taps(tile);
    vector work[POINTS_MAX];
    evaluate_planes((const int[]){ taps, taps, taps }, p1, p2, from, work);
    for (int i = 0; i < p1 * p2; i++) {
        vector column[8];
        float scale = scale_of(p1, i / p2) * scale_of(p2, i % p2);
        evaluate(p0, taps, work + i, (size_t)(p1 * p2), column, 1);
        for (int t = 0; t < p0; t++)
            store_vector(column[t] * (scale * scale_of(p0, t)),
                         to + (size_t)(t * p1 * p2 + i) * stride);
    }
}

INLINE void load_tiles(const struct winograd *winograd, const enum winograd_tile tile,
                       const float *weight, float *transformed)
{
    int depth = winograd->depth;
#pragma omp for schedule(dynamic, 8)
    for (int i = 0; i < winograd->panels * depth; i++) {
        size_t panel = (size_t)(i / depth), k = (size_t)(i % depth);
        float *to = transformed + (panel * (size_t)winograd->points * (size_t)depth + k) * PANEL;
        for (int half = 0; half < 2; half++) {
            vector taps[64];
            load_taps(winograd, tile, (int)panel * PANEL + half * LANES, (int)k, weight, taps);
            evaluate_taps(tile, taps, to + half * LANES, (size_t)depth * PANEL);
        }
    }
}

/* One vector of channels of one tile of the results' gradient. */
INLINE void transform_gradient(const struct winograd *winograd, const enum winograd_tile tile,
                               const float *gradient, struct place place, int block, float *to,
                               size_t stride)
{
    const int p0 = axis_points(tile, 0), p1 = axis_points(tile, 1), p2 = axis_points(tile, 2);
    const int counts[] = { axis_results(tile, 0), axis_results(tile, 1), axis_results(tile, 2) };
    size_t map = map_floats(winograd->size_out);
    vector results[75], work[POINTS_MAX];
    int blocks = (winograd->channels + LANES - 1) / LANES;
    load_tile(counts, gradient + (size_t)(place.sample * blocks + block) * map * LANES,
              winograd->size_out, place.at, results);
    evaluate_planes(counts, p1, p2, results, work);
    for (int i = 0; i < p1 * p2; i++) {
        vector column[8];
        evaluate(p0, counts[0], work + i, (size_t)(p1 * p2), column, 1);
        UNROLL
        for (int t = 0; t < p0; t++)
            store_vector(column[t], to + (size_t)(t * p1 * p2 + i) * stride);
    }
}

INLINE void transform_gradients(const struct winograd *winograd, const enum winograd_tile tile,
                                int first, int count, const float *gradient, float *to)
{
    int blocks = (winograd->channels + LANES - 1) / LANES;
    int whole = winograd->panels * PANEL;
    size_t stride = winograd_point_stride(whole);
#pragma omp for schedule(dynamic, 4)
    for (int i = 0; i < count * blocks; i++) {
        int number = i / blocks, block = i % blocks;
        int group = number / WINOGRAD_GROUP, within = number % WINOGRAD_GROUP;
        size_t at =
            (size_t)(block / 2 * WINOGRAD_GROUP + within) * PANEL + (size_t)(block % 2) * LANES;
        transform_gradient(winograd, tile, gradient, place_of(winograd, tile, first + number),
                           block, to + (size_t)group * winograd_group_floats(winograd, whole) + at,
                           stride);
    }
}

/* Tiles of a block at one point: the first group's, and floats from one group to the next. */
struct operand {
    const float *data;
    size_t stride;
};

/* sums[r] (+)= the sum over tiles of channel r of `rows` times `panel`. */
INLINE void multiply_transposed(const int count, int tiles, int depth, struct operand rows,
                                struct operand panel, bool add, float *sums)
{
    vector sum[ROWS][2] = { { { 0 } } };
    for (int first = 0; first < tiles; first += WINOGRAD_GROUP) {
        const float *row = rows.data, *column = panel.data;
        for (int i = first; i < smaller(first + WINOGRAD_GROUP, tiles); i++) {
            vector left = load_vector(column), right = load_vector(column + LANES);
            UNROLL
            for (int r = 0; r < count; r++) {
                sum[r][0] += row[r] * left;
                sum[r][1] += row[r] * right;
            }
            row += depth;
            column += PANEL;
        }
        rows.data += rows.stride;
        panel.data += panel.stride;
    }
    UNROLL
    for (int r = 0; r < count; r++)
        for (int half = 0; half < 2; half++, sums += LANES)
            store_vector(add ? load_vector(sums) + sum[r][half] : sum[r][half], sums);
}

static void multiply_gradients(const struct winograd *winograd, int count, const float *tiles,
                               const float *gradients, bool add, float *sums)
{
    int depth = winograd->depth, panels = winograd->panels, whole = panels * PANEL;
    struct operand rows = { .stride = winograd_group_floats(winograd, depth) };
    struct operand columns = { .stride = winograd_group_floats(winograd, whole) };
#pragma omp for schedule(dynamic)
    for (int i = 0; i < winograd->points * panels; i++) {
        int point = i / panels, panel = i % panels, k = 0;
        float *to = sums + (size_t)(panel * winograd->points + point) * (size_t)depth * PANEL;
        rows.data = tiles + (size_t)point * winograd_point_stride(depth);
        columns.data = gradients + (size_t)point * winograd_point_stride(whole) +
                       (size_t)panel * WINOGRAD_GROUP * PANEL;
        for (; k + ROWS <= depth; k += ROWS, rows.data += ROWS, to += ROWS * PANEL)
            multiply_transposed(ROWS, count, depth, rows, columns, add, to);
        for (; k + 4 <= depth; k += 4, rows.data += 4, to += 4 * PANEL)
            multiply_transposed(4, count, depth, rows, columns, add, to);
        for (; k < depth; k++, rows.data++, to += PANEL)
            multiply_transposed(1, count, depth, rows, columns, add, to);
    }
}

/* From sums at the points to taps: the transposed of evaluate_taps(). */
INLINE void collect_taps(const enum winograd_tile tile, const float *from, size_t stride,
                         vector *to)
{
    const int p0 = axis_points(tile, 0), p1 = axis_points(tile, 1), p2 = axis_points(tile, 2);
    const int taps = axis_taps(tile);
    vector work[POINTS_MAX];
    for (int i = 0; i < p1 * p2; i++) {
        vector column[8];
        float scale = scale_of(p1, i / p2) * scale_of(p2, i % p2);
        for (int t = 0; t < p0; t++)
            column[t] =
                load_vector(from + (size_t)(t * p1 * p2 + i) * stride) * (scale * scale_of(p0, t));
        collect(p0, taps, column, 1, work + i, (size_t)(p1 * p2));
    }
    for (int t = 0; t < taps; t++) {
        vector *plane = work + t * p1 * p2;
        for (int w = 0; w < p2; w++)
            collect(p1, taps, plane + w, (size_t)p2, plane + w, (size_t)p2);
        for (int h = 0; h < taps; h++)
            collect(p2, taps, plane + h * p2, 1, to + (t * taps + h) * taps, 1);
    }
}

static void store_taps(const struct winograd *winograd, const enum winograd_tile tile, int channel,
                       int depth, const vector *from, float *weight_gradient)
{
    const int taps = axis_taps(tile), count = taps * taps * taps;
    const float *lanes = (const float *)from;
    ptrdiff_t offsets[64];
    find_taps(winograd, tile, depth, offsets);
    for (int lane = 0; lane < lane_count(winograd, tile, channel, depth); lane++) {
        float *window = weight_gradient + window_offset(winograd, tile, channel + lane, depth);
        for (int i = 0; i < count; i++)
            if (offsets[i] >= 0)
                window[offsets[i]] = lanes[i * LANES + lane];
    }
}

INLINE void collect_gradients(const struct winograd *winograd, const enum winograd_tile tile,
                              const float *sums, float *weight_gradient)
{
    int depth = winograd->depth;
#pragma omp for schedule(dynamic, 8)
    for (int i = 0; i < winograd->panels * depth; i++) {
        size_t panel = (size_t)(i / depth), k = (size_t)(i % depth);
        const float *from = sums + (panel * (size_t)winograd->points * (size_t)depth + k) * PANEL;
        for (int half = 0; half < 2; half++) {
            vector taps[64];
            collect_taps(tile, from + half * LANES, (size_t)depth * PANEL, taps);
            store_taps(winograd, tile, (int)panel * PANEL + half * LANES, (int)k, taps,
                       weight_gradient);
        }
    }
}

INLINE void run_weights_tiles(const struct winograd *winograd, const enum winograd_tile tile,
                              const float *in, const float *out_gradient, float *weight_gradient,
                              float *scratch)
{
    float *gradients = scratch + winograd_block_floats(winograd, winograd->depth);
    float *sums = gradients + winograd_block_floats(winograd, winograd->panels * PANEL);
    int tiles = tile_count(winograd);
    for (int first = 0; first < tiles; first += winograd->block) {
        int length = smaller(winograd->block, tiles - first);
        transform_block(winograd, tile, first, length, in, scratch);
        transform_gradients(winograd, tile, first, length, out_gradient, gradients);
        multiply_gradients(winograd, length, scratch, gradients, first > 0, sums);
    }
    collect_gradients(winograd, tile, sums, weight_gradient);
}
