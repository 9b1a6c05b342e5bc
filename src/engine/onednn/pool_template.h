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

/* The outputs whose windows hold an input position, along one axis: tap number `tap` of output
 * (at + front - tap) / stride, for each tap in [first, kernel) in steps of the stride. */
static inline int first_tap(const struct op *op, int d, int at)
{
    return (at + op->front[d]) % op->stride[d];
}

static inline int output_of(const struct op *op, int d, int at, int tap)
{
    int reach = at + op->front[d] - tap;
    return reach < 0 || reach / op->stride[d] >= op->size_out[d] ? -1 : reach / op->stride[d];
}

static inline vector gather_gradient(const struct op *op, const uint8_t *winner,
                                     const element *gradient, int t, int h, int w)
{
    vector sum = { 0 };
    for (int kt = first_tap(op, 0, t); kt < op->kernel[0]; kt += op->stride[0]) {
        int to = output_of(op, 0, t, kt);
        for (int kh = first_tap(op, 1, h); to >= 0 && kh < op->kernel[1]; kh += op->stride[1]) {
            int ho = output_of(op, 1, h, kh);
            for (int kw = first_tap(op, 2, w); ho >= 0 && kw < op->kernel[2]; kw += op->stride[2]) {
                int wo = output_of(op, 2, w, kw);
                if (wo < 0)
                    continue;
                size_t at = position(op->size_out, to, ho, wo);
                bytes won;
                memcpy(&won, winner + at, sizeof won);
                int tap = (kt * op->kernel[1] + kh) * op->kernel[2] + kw;
                mask mine = __builtin_convertvector(won, mask) == tap;
                sum += (vector)((mask)load(gradient + at) & mine);
            }
        }
    }
    return sum;
}

static void pool_backward(const struct op *op, int count, const uint8_t *winner,
                          struct slice out_gradient, struct slice in_gradient, bool add)
{
    int blocks = block_count(in_gradient);
#pragma omp parallel for collapse(3) schedule(static)
    for (int n = 0; n < count; n++)
        for (int b = 0; b < blocks; b++)
            for (int t = 0; t < op->size_in[0]; t++) {
                const element *from = plane_of(out_gradient, n, b);
                const uint8_t *won = winner + plane_number(out_gradient, n, b);
                element *to =
                    (element *)plane_of(in_gradient, n, b) + position(op->size_in, t, 0, 0);
                for (int h = 0; h < op->size_in[1]; h++)
                    for (int w = 0; w < op->size_in[2]; w++, to += LANES) {
                        vector sum = gather_gradient(op, won, from, t, h, w);
                        store(add ? load(to) + sum : sum, to);
                    }
            }
}
