/* Winograd's transforms along one axis, all from the points alone: 0, pairs of +root and -root, and
 * infinity (the highest coefficient). Three functions: the inputs' (the transposed interpolation),
 * the values of a polynomial (of weights, and of a gradient of results), and the transposed of the
 * latter (to results, and to a gradient of weights).
 *
 * The roots are chosen for small errors: those of 6 points lose half as much as +-1, +-2. */

struct points {
    int pairs;
    float root[3];
    float others[3][3]; /* the product of (x - root^2) of the other pairs, lowest power first */
    float all[4];       /* of all pairs */
    float scale[8];     /* of the weights' value at each point */
};

#define ROOT_HALF .70710678118654752f
#define ROOT_TWO 1.41421356237309505f

static const struct points points_4 = {
    .pairs = 1, .root = { 1 }, .others = { { 1 } }, .all = { -1, 1 }, .scale = { -1, .5f, .5f, 1 }
};
static const struct points points_6 = { .pairs = 2,
                                        .root = { ROOT_HALF, ROOT_TWO },
                                        .others = { { -2, 1 }, { -.5f, 1 } },
                                        .all = { 1, -2.5f, 1 },
                                        .scale = { 1, -2 / 3.f, -2 / 3.f, 1 / 6.f, 1 / 6.f, 1 } };
static const struct points points_8 = {
    .pairs = 3,
    .root = { .5f, 1, 2 },
    .others = { { 4, -5, 1 }, { 1, -4.25f, 1 }, { .25f, -1.25f, 1 } },
    .all = { -1, 5.25f, -5.25f, 1 },
    .scale = { -1, 32 / 45.f, 32 / 45.f, -2 / 9.f, -2 / 9.f, 1 / 90.f, 1 / 90.f, 1 },
};

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 8")

INLINE const struct points *points_of(int count)
{
    return count == 4 ? &points_4 : count == 6 ? &points_6 : &points_8;
}

INLINE float scale_of(int count, int point)
{
    return points_of(count)->scale[point];
}

/* All three take and give their numbers `step` vectors apart and may work in place. */

/* count inputs -> count points */
INLINE void transform_inputs(const int count, const vector *from, size_t from_step, vector *to,
                             size_t to_step)
{
    const struct points *points = points_of(count);
    vector in[8];
    UNROLL
    for (int i = 0; i < count; i++)
        in[i] = from[(size_t)i * from_step];
    vector zero = { 0 }, infinity = { 0 };
    UNROLL
    for (int k = 0; k <= points->pairs; k++) {
        zero += points->all[k] * in[2 * k];
        infinity += points->all[k] * in[2 * k + 1];
    }
    to[0] = zero;
    to[(size_t)(count - 1) * to_step] = infinity;
    UNROLL
    for (int i = 0; i < points->pairs; i++) {
        vector even = { 0 }, odd = { 0 };
        UNROLL
        for (int k = 0; k < points->pairs; k++) {
            even += points->others[i][k] * in[2 * k + 2];
            odd += points->others[i][k] * in[2 * k + 1];
        }
        to[(size_t)(2 * i + 1) * to_step] = even + points->root[i] * odd;
        to[(size_t)(2 * i + 2) * to_step] = even - points->root[i] * odd;
    }
}

/* length coefficients -> values at count points */
INLINE void evaluate(const int count, const int length, const vector *from, size_t from_step,
                     vector *to, size_t to_step)
{
    const struct points *points = points_of(count);
    vector in[8];
    UNROLL
    for (int i = 0; i < length; i++)
        in[i] = from[(size_t)i * from_step];
    to[0] = in[0];
    to[(size_t)(count - 1) * to_step] = in[length - 1];
    UNROLL
    for (int i = 0; i < points->pairs; i++) {
        const float root = points->root[i], square = root * root;
        vector even = { 0 }, odd = { 0 };
        UNROLL
        for (int k = length - 1; k >= 0; k--) {
            if (k % 2)
                odd = in[k] + square * odd;
            else
                even = in[k] + square * even;
        }
        to[(size_t)(2 * i + 1) * to_step] = even + root * odd;
        to[(size_t)(2 * i + 2) * to_step] = even - root * odd;
    }
}

/* The transposed: count points -> length coefficients */
INLINE void collect(const int count, const int length, const vector *from, size_t from_step,
                    vector *to, size_t to_step)
{
    const struct points *points = points_of(count);
    vector in[8];
    UNROLL
    for (int i = 0; i < count; i++)
        in[i] = from[(size_t)i * from_step];
    vector sum[3], difference[3];
    UNROLL
    for (int i = 0; i < points->pairs; i++) {
        sum[i] = in[2 * i + 1] + in[2 * i + 2];
        difference[i] = (in[2 * i + 1] - in[2 * i + 2]) * points->root[i];
    }
    UNROLL
    for (int k = 0; k < length; k++) {
        vector value = { 0 };
        UNROLL
        for (int i = 0; i < points->pairs; i++) {
            vector *term = k % 2 ? &difference[i] : &sum[i];
            value += *term;
            *term *= points->root[i] * points->root[i];
        }
        if (k == 0)
            value += in[0];
        if (k == length - 1)
            value += in[count - 1];
        to[(size_t)k * to_step] = value;
    }
}
