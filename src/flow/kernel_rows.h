/* The row loops of kernel.h, compiled once for each instruction set as the table KERNELS. */
#include "flow/kernel.h"

#include <math.h>
#include <string.h>

static inline int round_up(int count)
{
    return (count + LANES - 1) / LANES * LANES;
}

static inline float clamped(float value, float least, float most)
{
    value = value < least ? least : value;
    return value > most ? most : value;
}

/* The data term pulls the flow along n until its residual r + n.u is 0, at most by T; the dual
 * variables pull it towards its neighbours. */
static void primal(float *row, const float *above, int width, int stride, float *change)
{
    float *u = row + U * stride, *v = row + V * stride;
    const float *nx = row + NX * stride, *ny = row + NY * stride;
    const float *r = row + R * stride, *t = row + T * stride;
    const float *q11 = row + Q11 * stride, *q12 = row + Q12 * stride;
    const float *q21 = row + Q21 * stride, *q22 = row + Q22 * stride;
    const float *above12 = above + Q12 * stride, *above22 = above + Q22 * stride;
    int count = round_up(width);

#pragma omp simd
    for (int x = 0; x < count; x++) {
        float d = clamped(r[x] + (nx[x] * u[x] + ny[x] * v[x]), -t[x], t[x]);
        float div1 = (q11[x] - q11[x - 1]) + (q12[x] - above12[x]);
        float div2 = (q21[x] - q21[x - 1]) + (q22[x] - above22[x]);
        float du = div1 - d * nx[x], dv = div2 - d * ny[x];
        u[x] += du;
        v[x] += dv;
        change[x] += du * du + dv * dv;
    }
    u[width] = u[width - 1];
    v[width] = v[width - 1];
}

/* Both quotients are of one division: 1 / a = b / (a b). */
static void dual(float *row, const float *below, int width, int stride, float tau, float tau_theta)
{
    const float *restrict u = row + U * stride, *restrict v = row + V * stride;
    const float *restrict below_u = below + U * stride, *restrict below_v = below + V * stride;
    float *restrict q11 = row + Q11 * stride, *restrict q12 = row + Q12 * stride;
    float *restrict q21 = row + Q21 * stride, *restrict q22 = row + Q22 * stride;
    int count = round_up(width);

#pragma omp simd
    for (int x = 0; x < count; x++) {
        float ux = u[x + 1] - u[x], uy = below_u[x] - u[x];
        float vx = v[x + 1] - v[x], vy = below_v[x] - v[x];
        float a = 1 + tau_theta * sqrtf(ux * ux + uy * uy);
        float b = 1 + tau_theta * sqrtf(vx * vx + vy * vy);
        float both = 1 / (a * b);
        float shrink_u = b * both, shrink_v = a * both;
        q11[x] = (q11[x] + tau * ux) * shrink_u;
        q12[x] = (q12[x] + tau * uy) * shrink_u;
        q21[x] = (q21[x] + tau * vx) * shrink_v;
        q22[x] = (q22[x] + tau * vy) * shrink_v;
    }
}

/* `position` in 1/scale pixels, the nearest whole number, halves to even; |position| < 2^21. Adding
 * and taking away 1.5 * 2^23 is what rounds. */
static inline int nearest(float position)
{
    return (int)((position + 12582912.0f) - 12582912.0f);
}

/* Where the row's samples lie: the offset of the first of 4 x 4 taps, the positions within a pixel.
 * Whatever points further out than BORDER sees the border's own values. If all taps must lie
 * inside, those that do not are looked for in the corner of the border, which is black. */
static inline void locate(const struct warp_row *warp, const float *restrict u,
                          const float *restrict v, int *restrict offset, int *restrict at_x,
                          int *restrict at_y)
{
    int width = warp->width, bits = warp->weights->bits, mask = (1 << bits) - 1;
    int pitch = width + 2 * BORDER;
    float scale = (float)(1 << bits), top = (float)warp->y;
    float right = (float)(width + 1), bottom = (float)(warp->height + 1);
    int least = warp->inside ? 1 : -BORDER, last_x = width - (warp->inside ? 2 : -BORDER);
    int last_y = warp->height - (warp->inside ? 2 : -BORDER);

#pragma omp simd
    for (int x = 0; x < width; x++) {
        int to_x = nearest(clamped((float)x + u[x], -3, right) * scale);
        int to_y = nearest(clamped(top + v[x], -3, bottom) * scale);
        at_x[x] = to_x & mask;
        at_y[x] = to_y & mask;
        int cell_x = to_x >> bits, cell_y = to_y >> bits;
        bool seen = (cell_x >= least) & (cell_x < last_x) & (cell_y >= least) & (cell_y < last_y);
        offset[x] = seen ? ((cell_y + BORDER - 1) * pitch + cell_x + BORDER - 1) * CHANNELS : 0;
    }
}

/* Four taps of four channels; two of them; one. */
typedef float taps4 __attribute__((vector_size(64), aligned(4)));
typedef float taps2 __attribute__((vector_size(32)));
typedef float taps1 __attribute__((vector_size(16), aligned(4)));

/* Bicubic values at the places found: columns first, all four channels at once. */
static inline void interpolate(const struct warp_row *warp)
{
    const struct weights *weights = warp->weights;
    size_t pitch = (size_t)(warp->width + 2 * BORDER) * CHANNELS;
    for (int x = 0; x < warp->width; x++) {
        const float *tap = warp->taps + warp->offset[x], *wy = weights->y[warp->at_y[x]];
        const taps4 *row0 = (const taps4 *)tap, *row1 = (const taps4 *)(tap + pitch);
        const taps4 *row2 = (const taps4 *)(tap + 2 * pitch);
        const taps4 *row3 = (const taps4 *)(tap + 3 * pitch);
        taps4 all = (wy[0] * *row0 + wy[1] * *row1) + (wy[2] * *row2 + wy[3] * *row3);
        all *= *(const taps4 *)weights->x[warp->at_x[x]];
        taps2 two = __builtin_shufflevector(all, all, 0, 1, 2, 3, 4, 5, 6, 7) +
                    __builtin_shufflevector(all, all, 8, 9, 10, 11, 12, 13, 14, 15);
        *(taps1 *)(warp->sample + x * CHANNELS) = __builtin_shufflevector(two, two, 0, 1, 2, 3) +
                                                  __builtin_shufflevector(two, two, 4, 5, 6, 7);
    }
}

/* The data term of the samples. Where the picture is flat it says nothing; 2^-23 is OpenCV's bound
 * for that. */
static inline void linearize(const struct warp_row *warp, float *row)
{
    int stride = warp->stride, width = warp->width;
    const float *u = row + U * stride, *v = row + V * stride;
    float *nx = row + NX * stride, *ny = row + NY * stride;
    float *r = row + R * stride, *t = row + T * stride;
    const float *sample = warp->sample, *grey = warp->grey;
    float gain = warp->gain, lambda_theta = warp->lambda_theta;

#pragma omp simd
    for (int x = 0; x < width; x++) {
        float to = sample[x * CHANNELS] * gain;
        float ix = sample[x * CHANNELS + 1] * gain;
        float iy = sample[x * CHANNELS + 2] * gain;
        float square = ix * ix + iy * iy;
        float length = sqrtf(square > 0x1p-23f ? square : 1);
        float inverse = square > 0x1p-23f ? 1 / length : 0;
        nx[x] = ix * inverse;
        ny[x] = iy * inverse;
        r[x] = (to - ix * u[x] - iy * v[x] - grey[x] * gain) * inverse;
        t[x] = lambda_theta * (square * inverse);
    }
}

static void warp(const struct warp_row *warp, float *row)
{
    locate(warp, row + U * warp->stride, row + V * warp->stride, warp->offset, warp->at_x,
           warp->at_y);
    interpolate(warp);
    linearize(warp, row);
}

/* |second picture around the pixel nearest to (x, y) - first picture around its own|, a 3 x 3 sum
 * of both. `grey`: the first picture at that pixel, its rows above and below `up` and `down` off.
 */
static inline float misfit(const float *taps, int pitch, float x, float y, const float *grey,
                           int up, int down, int left, int right)
{
    const float *tap = taps + ((nearest(y) + BORDER) * pitch + nearest(x) + BORDER) * CHANNELS;
    int rows[3] = { up, 0, down };
    float sum = 0;
    for (int i = 0; i < 3; i++) {
        const float *from = grey + rows[i], *to = tap + (i - 1) * pitch * CHANNELS;
        sum += fabsf(to[-CHANNELS] - from[left]) + fabsf(to[0] - from[0]) +
               fabsf(to[CHANNELS] - from[right]);
    }
    return sum;
}

static void recheck(const struct warp_row *warp, float *row)
{
    float *u = row + U * warp->stride, *v = row + V * warp->stride;
    const float *taps = warp->taps, *grey = warp->grey;
    int width = warp->width, pitch = width + 2 * BORDER;
    int up = warp->y > 0 ? -width : 0, down = warp->y < warp->height - 1 ? width : 0;
    float y = (float)warp->y;
    float last_x = (float)(width - 1), last_y = (float)(warp->height - 1);

#pragma omp simd
    for (int x = 0; x < width; x++) {
        float to_x = clamped((float)x + u[x], 0, last_x), to_y = clamped(y + v[x], 0, last_y);
        bool inside = (to_x == (float)x + u[x]) & (to_y == y + v[x]);
        int left = x > 0 ? -1 : 0, right = x < width - 1 ? 1 : 0;
        float at_rest = misfit(taps, pitch, (float)x, y, grey + x, up, down, left, right);
        float moving = misfit(taps, pitch, to_x, to_y, grey + x, up, down, left, right);
        bool rest = inside & (at_rest < moving);
        u[x] = rest ? 0 : u[x];
        v[x] = rest ? 0 : v[x];
    }
}

static void largest(const float *restrict row, int width, float *restrict most_so_far)
{
#pragma omp simd
    for (int x = 0; x < width; x++) {
        float size = fabsf(row[x]);
        most_so_far[x] = size > most_so_far[x] ? size : most_so_far[x];
    }
}

static void to_steps(const float *restrict row, int width, float steps, int16_t *restrict out)
{
#pragma omp simd
    for (int x = 0; x < width; x++)
        out[x] = (int16_t)nearest(row[x] * steps);
    out[-1] = out[-2] = out[0];
    out[width] = out[width + 1] = out[width - 1];
}

static inline int16_t least(int16_t a, int16_t b)
{
    return a < b ? a : b;
}

static inline int16_t most(int16_t a, int16_t b)
{
    return a < b ? b : a;
}

static inline void sort2(int16_t *a, int16_t *b)
{
    int16_t low = least(*a, *b);
    *b = most(*a, *b);
    *a = low;
}

static inline int16_t middle(int16_t a, int16_t b, int16_t c)
{
    return most(least(a, b), least(most(a, b), c));
}

static inline void sort3(int16_t *a, int16_t *b, int16_t *c)
{
    sort2(a, b);
    sort2(b, c);
    sort2(a, b);
}

static inline void sort_columns3(const int16_t *const rows[3], int width, int16_t *restrict sorted)
{
    int pitch = width + 4;
    const int16_t *row0 = rows[0] - 2, *row1 = rows[1] - 2, *row2 = rows[2] - 2;
    int16_t *restrict out0 = sorted, *restrict out1 = sorted + pitch;
    int16_t *restrict out2 = sorted + 2 * pitch;
#pragma omp simd
    for (int x = 0; x < pitch; x++) {
        int16_t a = row0[x], b = row1[x], c = row2[x];
        sort3(&a, &b, &c);
        out0[x] = a, out1[x] = b, out2[x] = c;
    }
}

/* With every column sorted, the median of nine is the middle of: the largest of the least, the
 * middle of the middle ones, the least of the largest. */
static void median3(const int16_t *const rows[3], int width, float unit, int16_t *restrict scratch,
                    float *restrict out)
{
    int pitch = width + 4;
    sort_columns3(rows, width, scratch);
    const int16_t *restrict low = scratch + 1, *restrict mid = scratch + pitch + 1;
    const int16_t *restrict high = scratch + 2 * pitch + 1;
    for (int x = 0; x < width; x++) {
        int16_t a = low[x], b = low[x + 1], c = low[x + 2];
        int16_t d = mid[x], e = mid[x + 1], f = mid[x + 2];
        int16_t g = high[x], h = high[x + 1], i = high[x + 2];
        sort3(&a, &b, &c);
        sort3(&d, &e, &f);
        sort3(&g, &h, &i);
        sort3(&c, &e, &g);
        out[x] = (float)e * unit;
    }
}

/* Leaves the least in *a and the largest in *e. */
static inline void ends5(int16_t *a, int16_t *b, int16_t *c, int16_t *d, int16_t *e)
{
    sort2(a, b);
    sort2(d, e);
    sort2(a, d);
    sort2(b, e);
    sort2(a, c);
    sort2(c, e);
}

static inline void ends6(int16_t *a, int16_t *b, int16_t *c, int16_t *d, int16_t *e, int16_t *f)
{
    sort2(a, d);
    sort2(b, e);
    sort2(c, f);
    sort2(a, b);
    sort2(a, c);
    sort2(e, f);
    sort2(d, f);
}

static inline void ends7(int16_t *a, int16_t *b, int16_t *c, int16_t *d, int16_t *e, int16_t *f,
                         int16_t *g)
{
    ends6(a, b, c, e, f, g);
    sort2(a, d);
    sort2(d, g);
}

static inline void sort_columns5(const int16_t *const rows[5], int width, int16_t *restrict sorted)
{
    int pitch = width + 4;
    const int16_t *row0 = rows[0] - 2, *row1 = rows[1] - 2, *row2 = rows[2] - 2;
    const int16_t *row3 = rows[3] - 2, *row4 = rows[4] - 2;
    int16_t *restrict out0 = sorted, *restrict out1 = sorted + pitch;
    int16_t *restrict out2 = sorted + 2 * pitch, *restrict out3 = sorted + 3 * pitch;
    int16_t *restrict out4 = sorted + 4 * pitch;
#pragma omp simd
    for (int x = 0; x < pitch; x++) {
        int16_t a = row0[x], b = row1[x], c = row2[x], d = row3[x], e = row4[x];
        ends5(&a, &b, &c, &d, &e);
        sort3(&b, &c, &d);
        out0[x] = a, out1[x] = b, out2[x] = c, out3[x] = d, out4[x] = e;
    }
}

/* With columns and then rows of the window sorted, element (i, j) of 1..5 has at least ij - 1 below
 * it and (6-i)(6-j) - 1 above it, so only 13 can be the median, and they are the middle one of
 * themselves. Least and largest of what is left go until one remains. */
static void median5(const int16_t *const rows[5], int width, float unit, int16_t *restrict scratch,
                    float *restrict out)
{
    int pitch = width + 4;
    sort_columns5(rows, width, scratch);
    const int16_t *restrict row1 = scratch, *restrict row2 = scratch + pitch;
    const int16_t *restrict row3 = scratch + 2 * pitch, *restrict row4 = scratch + 3 * pitch;
    const int16_t *restrict row5 = scratch + 4 * pitch;
#pragma omp simd
    for (int x = 0; x < width; x++) {
        int16_t p, q;
        /* Row 1: its two largest, a <= b. */
        int16_t a = row1[x], b = row1[x + 1];
        sort2(&a, &b);
        for (int i = 2; i < 5; i++) {
            p = row1[x + i];
            a = most(a, least(b, p));
            b = most(b, p);
        }
        /* Row 2: its three largest, c <= d <= e. */
        int16_t c = row2[x], d = row2[x + 1], e = row2[x + 2];
        sort3(&c, &d, &e);
        for (int i = 3; i < 5; i++) {
            p = row2[x + i];
            c = most(c, least(d, p));
            d = most(d, least(e, p));
            e = most(e, p);
        }
        /* Row 3: its middle three, f <= g <= h. */
        p = row3[x], q = row3[x + 4];
        int16_t f = row3[x + 1], g = row3[x + 2], h = row3[x + 3];
        ends5(&p, &f, &g, &h, &q);
        sort3(&f, &g, &h);
        /* Row 4: its three least, i <= j <= k. */
        int16_t i = row4[x], j = row4[x + 1], k = row4[x + 2];
        sort3(&i, &j, &k);
        for (int n = 3; n < 5; n++) {
            p = row4[x + n];
            k = least(k, most(j, p));
            j = least(j, most(i, p));
            i = least(i, p);
        }
        /* Row 5: its two least, l <= m. */
        int16_t l = row5[x], m = row5[x + 1];
        sort2(&l, &m);
        for (int n = 2; n < 5; n++) {
            p = row5[x + n];
            m = least(m, most(l, p));
            l = least(l, p);
        }
        /* The least is one of a, c, f, i, the largest one of e, h, k, m: six go on. */
        sort2(&a, &c);
        sort2(&f, &i);
        sort2(&a, &f);
        sort2(&e, &h);
        sort2(&k, &m);
        sort2(&h, &m);
        ends7(&c, &f, &i, &e, &h, &k, &b);
        ends6(&f, &i, &e, &h, &k, &d);
        ends5(&i, &e, &h, &k, &g);
        sort2(&e, &h);
        sort2(&k, &j);
        sort2(&e, &k);
        sort2(&h, &j);
        out[x] = (float)middle(h, k, l) * unit;
    }
}

const struct flow_kernels KERNELS = {
    .name = KERNELS_NAME,
    .primal = primal,
    .dual = dual,
    .warp = warp,
    .recheck = recheck,
    .largest = largest,
    .to_steps = to_steps,
    .median3 = median3,
    .median5 = median5,
};
