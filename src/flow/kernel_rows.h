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
 * variables pull it towards its neighbours. `change` may be NULL. */
static inline void step_primal(float *row, const float *above, int width, int stride, float *change)
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
        if (change)
            change[x] += du * du + dv * dv;
    }
    u[width] = u[width - 1];
    v[width] = v[width - 1];
}

static void primal(float *row, const float *above, int width, int stride)
{
    step_primal(row, above, width, stride, NULL);
}

static void primal_change(float *row, const float *above, int width, int stride, float *change)
{
    step_primal(row, above, width, stride, change);
}

static inline void step_dual(const float *restrict u, const float *restrict below,
                             float *restrict q1, float *restrict q2, int count, float tau,
                             float tau_theta)
{
#pragma omp simd
    for (int x = 0; x < count; x++) {
        float dx = u[x + 1] - u[x], dy = below[x] - u[x];
        float shrink = 1 / (1 + tau_theta * sqrtf(dx * dx + dy * dy));
        q1[x] = (q1[x] + tau * dx) * shrink;
        q2[x] = (q2[x] + tau * dy) * shrink;
    }
}

static void dual(float *row, const float *below, int width, int stride, float tau, float tau_theta)
{
    int count = round_up(width);
    step_dual(row + U * stride, below + U * stride, row + Q11 * stride, row + Q12 * stride, count,
              tau, tau_theta);
    step_dual(row + V * stride, below + V * stride, row + Q21 * stride, row + Q22 * stride, count,
              tau, tau_theta);
}

/* `position` in 1/scale pixels, the nearest whole number, halves to even; |position| < 2^21. Adding
 * and taking away 1.5 * 2^23 is what rounds. */
static inline int nearest(float position)
{
    return (int)((position + 12582912.0f) - 12582912.0f);
}

/* Where the row's samples lie: the offset of the first of 4 x 4 taps, the positions within a pixel.
 * Whatever points further out than BORDER sees the border's own values. */
static inline void locate(const struct warp_row *warp, const float *restrict u,
                          const float *restrict v)
{
    int bits = warp->weights->bits, mask = (1 << bits) - 1;
    int pitch = warp->width + 2 * BORDER;
    float scale = (float)(1 << bits), top = (float)warp->y;
    float right = (float)(warp->width + 1), bottom = (float)(warp->height + 1);
    int *restrict offset = warp->offset, *restrict at_x = warp->at_x, *restrict at_y = warp->at_y;

    for (int x = 0; x < warp->width; x++) {
        int to_x = nearest(clamped((float)x + u[x], -3, right) * scale);
        int to_y = nearest(clamped(top + v[x], -3, bottom) * scale);
        at_x[x] = to_x & mask;
        at_y[x] = to_y & mask;
        offset[x] =
            (((to_y >> bits) + BORDER - 1) * pitch + (to_x >> bits) + BORDER - 1) * CHANNELS;
    }
}

/* Bicubic values at the places found: columns first, all four channels at once. */
static inline void interpolate(const struct warp_row *warp)
{
    size_t pitch = (size_t)(warp->width + 2 * BORDER) * CHANNELS;
    for (int x = 0; x < warp->width; x++) {
        const float *tap = warp->taps + warp->offset[x];
        const float *wx = warp->weights->x[warp->at_x[x]], *wy = warp->weights->y[warp->at_y[x]];
        float sum[4 * CHANNELS];
        for (int i = 0; i < 4 * CHANNELS; i++)
            sum[i] =
                wx[i] * ((wy[0] * tap[i] + wy[1] * tap[pitch + (size_t)i]) +
                         (wy[2] * tap[2 * pitch + (size_t)i] + wy[3] * tap[3 * pitch + (size_t)i]));
        for (int i = 0; i < CHANNELS; i++)
            warp->sample[x * CHANNELS + i] = (sum[i] + sum[i + 4]) + (sum[i + 8] + sum[i + 12]);
    }
}

static void warp(const struct warp_row *warp, float *row)
{
    int stride = warp->stride;
    const float *restrict u = row + U * stride, *restrict v = row + V * stride;
    float *restrict nx = row + NX * stride, *restrict ny = row + NY * stride;
    float *restrict r = row + R * stride, *restrict t = row + T * stride;
    const float *restrict sample = warp->sample, *restrict grey = warp->grey;

    locate(warp, u, v);
    interpolate(warp);
    for (int x = 0; x < warp->width; x++) {
        float to = sample[x * CHANNELS] * warp->gain;
        float ix = sample[x * CHANNELS + 1] * warp->gain;
        float iy = sample[x * CHANNELS + 2] * warp->gain;
        float square = ix * ix + iy * iy;
        float length = sqrtf(square);
        /* Where the picture is flat the data says nothing. 2^-23 is OpenCV's bound. */
        float inverse = square > 0x1p-23f ? 1 / length : 0;
        nx[x] = ix * inverse;
        ny[x] = iy * inverse;
        r[x] = (to - ix * u[x] - iy * v[x] - grey[x] * warp->gain) * inverse;
        t[x] = warp->lambda_theta * length * (square > 0x1p-23f ? 1.0f : 0.0f);
    }
}

static inline void sort2(int16_t *a, int16_t *b)
{
    int16_t least = *a < *b ? *a : *b, most = *a < *b ? *b : *a;
    *a = least;
    *b = most;
}

static inline int16_t least(int16_t a, int16_t b)
{
    return a < b ? a : b;
}

static inline int16_t most(int16_t a, int16_t b)
{
    return a < b ? b : a;
}

static inline int16_t middle(int16_t a, int16_t b, int16_t c)
{
    sort2(&a, &b);
    return most(a, least(b, c));
}

/* With every column sorted, the median of nine is the middle of: the largest of the least, the
 * middle of the middle ones, the least of the largest. */
static void median3(const int16_t *const rows[3], int width, int16_t *restrict out)
{
    const int16_t *above = rows[0], *here = rows[1], *below = rows[2];
    for (int x = 0; x < width; x++) {
        int16_t low[3], mid[3], high[3];
        for (int i = 0; i < 3; i++) {
            int16_t a = above[x + i - 1], b = here[x + i - 1], c = below[x + i - 1];
            sort2(&a, &b);
            sort2(&b, &c);
            sort2(&a, &b);
            low[i] = a, mid[i] = b, high[i] = c;
        }
        out[x] = middle(most(most(low[0], low[1]), low[2]), middle(mid[0], mid[1], mid[2]),
                        least(least(high[0], high[1]), high[2]));
    }
}

static inline void sort3(int16_t *a, int16_t *b, int16_t *c)
{
    sort2(a, b);
    sort2(b, c);
    sort2(a, b);
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
static void median5(const int16_t *const rows[5], int width, int16_t *restrict out,
                    int16_t *restrict scratch)
{
    int pitch = width + 4;
    sort_columns5(rows, width, scratch);
    const int16_t *restrict row1 = scratch, *restrict row2 = scratch + pitch;
    const int16_t *restrict row3 = scratch + 2 * pitch, *restrict row4 = scratch + 3 * pitch;
    const int16_t *restrict row5 = scratch + 4 * pitch;
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
        out[x] = middle(h, k, l);
    }
}

const struct flow_kernels KERNELS = {
    .name = KERNELS_NAME,
    .primal = primal,
    .primal_change = primal_change,
    .dual = dual,
    .warp = warp,
    .median3 = median3,
    .median5 = median5,
};
