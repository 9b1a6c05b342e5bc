/* Maximum pools. */

/* The taps of a window that meet the input: [begin, end) in each of t, h, w. */
struct window {
    int at[3]; /* where tap 0 is in the input */
    int begin[3], end[3];
};

static inline struct window place_window(const struct op *op, int t, int h, int w)
{
    const int out[3] = { t, h, w };
    struct window window;
    for (int d = 0; d < 3; d++) {
        int at = out[d] * op->stride[d] - op->front[d], left = op->size_in[d] - at;
        window.at[d] = at;
        window.begin[d] = at < 0 ? -at : 0;
        window.end[d] = left < op->kernel[d] ? left : op->kernel[d];
    }
    return window;
}

static inline size_t position(const int size[3], int t, int h, int w)
{
    return (((size_t)t * (size_t)size[1] + (size_t)h) * (size_t)size[2] + (size_t)w) * LANES;
}

/* A NaN wins, so that it is seen at the end. */
static inline mask beats(vector value, vector best)
{
    return (value > best) | (value != value);
}

static inline vector pool_window(const struct op *op, const element *plane, struct window window)
{
    vector best = fill(-__builtin_inff());
    for (int t = window.begin[0]; t < window.end[0]; t++)
        for (int h = window.begin[1]; h < window.end[1]; h++) {
            const element *row = plane + position(op->size_in, window.at[0] + t, window.at[1] + h,
                                                  window.at[2] + window.begin[2]);
            for (int w = window.begin[2]; w < window.end[2]; w++, row += LANES) {
                vector value = load(row);
                best = select(beats(value, best), value, best);
            }
        }
    return best;
}

static inline vector pool_window_winner(const struct op *op, const element *plane,
                                        struct window window, uint8_t *winner)
{
    vector best = fill(-__builtin_inff());
    mask number = { 0 };
    for (int t = window.begin[0]; t < window.end[0]; t++)
        for (int h = window.begin[1]; h < window.end[1]; h++)
            for (int w = window.begin[2]; w < window.end[2]; w++) {
                vector value = load(plane + position(op->size_in, window.at[0] + t,
                                                     window.at[1] + h, window.at[2] + w));
                int tap = (t * op->kernel[1] + h) * op->kernel[2] + w;
                mask better = beats(value, best);
                best = select(better, value, best);
                number = (better & tap) | (~better & number);
            }
    bytes narrow = __builtin_convertvector(number, bytes);
    memcpy(winner, &narrow, sizeof narrow);
    return best;
}

static void pool(const struct op *op, int count, struct slice in, struct slice out, uint8_t *winner)
{
    int blocks = block_count(in);
#pragma omp parallel for collapse(3) schedule(static)
    for (int n = 0; n < count; n++)
        for (int b = 0; b < blocks; b++)
            for (int t = 0; t < op->size_out[0]; t++) {
                const element *from = plane_of(in, n, b);
                size_t first = position(op->size_out, t, 0, 0);
                element *to = (element *)plane_of(out, n, b) + first;
                uint8_t *won = winner ? winner + plane_number(out, n, b) + first : NULL;
                for (int h = 0; h < op->size_out[1]; h++)
                    for (int w = 0; w < op->size_out[2]; w++, to += LANES) {
                        struct window window = place_window(op, t, h, w);
                        store(won ? pool_window_winner(op, from, window, won)
                                  : pool_window(op, from, window),
                              to);
                        won = won ? won + LANES : NULL;
                    }
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
