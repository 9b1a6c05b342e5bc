/* Maximum pools. */

static inline size_t position(const int size[3], int t, int h, int w)
{
    return (((size_t)t * (size_t)size[1] + (size_t)h) * (size_t)size[2] + (size_t)w) * LANES;
}

/* The outputs [begin, end) along axis d whose window has the input under tap `tap`. */
static inline int first_output(const struct op *op, int d, int tap)
{
    int missing = op->front[d] - tap;
    return missing > 0 ? (missing + op->stride[d] - 1) / op->stride[d] : 0;
}

static inline int last_output(const struct op *op, int d, int tap)
{
    int reach = op->size_in[d] - 1 + op->front[d] - tap;
    int end = reach < 0 ? 0 : reach / op->stride[d] + 1;
    return end < op->size_out[d] ? end : op->size_out[d];
}

/* One tap for a row of outputs: `in` is what it meets at output 0, which may be padding. A NaN
 * wins, so that it is seen at the end. */
static inline void pool_tap(const struct op *op, int tap, int kw, const element *in, element *out,
                            uint8_t *winner)
{
    ptrdiff_t step = op->stride[2] * LANES;
    int end = last_output(op, 2, kw);
    for (int w = first_output(op, 2, kw); w < end; w++) {
        vector value = load(in + w * step), best = load(out + w * LANES);
        mask better = (value > best) | (value != value);
        store_exact(select(better, value, best), out + w * LANES);
        if (!winner)
            continue;
        bytes won;
        memcpy(&won, winner + w * LANES, sizeof won);
        mask number = __builtin_convertvector(won, mask);
        won = __builtin_convertvector((better & tap) | (~better & number), bytes);
        memcpy(winner + w * LANES, &won, sizeof won);
    }
}

/* Tap after tap over the whole row: the maxima of a row do not wait for each other. */
static void pool_row(const struct op *op, const element *plane, int t, int h, element *out,
                     uint8_t *winner)
{
    int tap = 0;
    for (int w = 0; w < op->size_out[2]; w++)
        store_exact(fill(-__builtin_inff()), out + w * LANES);
    for (int kt = 0; kt < op->kernel[0]; kt++)
        for (int kh = 0; kh < op->kernel[1]; kh++) {
            int it = t * op->stride[0] + kt - op->front[0];
            int ih = h * op->stride[1] + kh - op->front[1];
            bool inside = it >= 0 && it < op->size_in[0] && ih >= 0 && ih < op->size_in[1];
            for (int kw = 0; kw < op->kernel[2]; kw++, tap++)
                if (inside)
                    pool_tap(op, tap, kw,
                             plane + position(op->size_in, it, ih, 0) +
                                 (ptrdiff_t)(kw - op->front[2]) * LANES,
                             out, winner);
        }
}

static void pool(const struct op *op, int count, struct slice in, struct slice out, uint8_t *winner)
{
    int blocks = block_count(in);
#pragma omp parallel for collapse(3) schedule(static)
    for (int n = 0; n < count; n++)
        for (int b = 0; b < blocks; b++)
            for (int t = 0; t < op->size_out[0]; t++)
                for (int h = 0; h < op->size_out[1]; h++) {
                    size_t first = position(op->size_out, t, h, 0);
                    element *to = (element *)plane_of(out, n, b) + first;
                    uint8_t *won = winner ? winner + plane_number(out, n, b) + first : NULL;
                    pool_row(op, plane_of(in, n, b), t, h, to, won);
                }
}

/* Positions of a row whose gradients are summed at a time, in float32. */
enum { SUM_POSITIONS = 64 };

/* Adds what tap `tap` passes of a row of outputs to the inputs [begin, end) of a row. */
static inline void spread_tap(const struct op *op, int tap, int kw, const uint8_t *winner,
                              const element *gradient, int begin, int end, float *sums)
{
    int stride = op->stride[2], shift = kw - op->front[2];
    int first = first_output(op, 2, kw), last = last_output(op, 2, kw);
    if (begin > first * stride + shift)
        first = (begin - shift + stride - 1) / stride;
    if (last > 0 && end <= (last - 1) * stride + shift)
        last = end > shift ? (end - 1 - shift) / stride + 1 : 0;
    for (int w = first; w < last; w++) {
        float *sum = sums + (w * stride + shift - begin) * LANES;
        bytes won;
        memcpy(&won, winner + w * LANES, sizeof won);
        mask mine = __builtin_convertvector(won, mask) == tap;
        store_f32(load_f32(sum) + (vector)((mask)load(gradient + w * LANES) & mine), sum);
    }
}

/* The output along axis d whose window has input `at` under tap `tap`, -1: there is none. */
static inline int output_of(const struct op *op, int d, int at, int tap)
{
    int reach = at + op->front[d] - tap, out = reach / op->stride[d];
    return reach < 0 || reach % op->stride[d] || out >= op->size_out[d] ? -1 : out;
}

static void sum_row(const struct op *op, const uint8_t *winner, const element *gradient, int t,
                    int h, int begin, int end, float *sums)
{
    int tap = 0;
    memset(sums, 0, (size_t)(end - begin) * LANES * sizeof *sums);
    for (int kt = 0; kt < op->kernel[0]; kt++)
        for (int kh = 0; kh < op->kernel[1]; kh++) {
            int to = output_of(op, 0, t, kt), ho = output_of(op, 1, h, kh);
            size_t row = to < 0 || ho < 0 ? 0 : position(op->size_out, to, ho, 0);
            for (int kw = 0; kw < op->kernel[2]; kw++, tap++)
                if (to >= 0 && ho >= 0)
                    spread_tap(op, tap, kw, winner + row, gradient + row, begin, end, sums);
        }
}

static void pool_backward_row(const struct op *op, const uint8_t *winner, const element *gradient,
                              int t, int h, element *to, bool add)
{
    float sums[SUM_POSITIONS * LANES];
    for (int begin = 0; begin < op->size_in[2]; begin += SUM_POSITIONS) {
        int left = op->size_in[2] - begin,
            end = begin + (left < SUM_POSITIONS ? left : SUM_POSITIONS);
        sum_row(op, winner, gradient, t, h, begin, end, sums);
        for (int w = begin; w < end; w++) {
            vector sum = load_f32(sums + (w - begin) * LANES);
            store(add ? load(to + w * LANES) + sum : sum, to + w * LANES);
        }
    }
}

static void pool_backward(const struct op *op, int count, const uint8_t *winner,
                          struct slice out_gradient, struct slice in_gradient, bool add)
{
    int blocks = block_count(in_gradient);
#pragma omp parallel for collapse(3) schedule(static)
    for (int n = 0; n < count; n++)
        for (int b = 0; b < blocks; b++)
            for (int t = 0; t < op->size_in[0]; t++)
                for (int h = 0; h < op->size_in[1]; h++)
                    pool_backward_row(op, winner + plane_number(out_gradient, n, b),
                                      plane_of(out_gradient, n, b), t, h,
                                      (element *)plane_of(in_gradient, n, b) +
                                          position(op->size_in, t, h, 0),
                                      add);
}
