/* The loops that take the time, one row of pixels each, in a table for every instruction set.
 *
 * kernel_rows.h holds them once, in plain C; kernel_c.c, kernel_avx2.c and kernel_avx512.c compile
 * it with different flags. No sum is reordered, nothing is fused and square roots and quotients are
 * exact, so all tables give the same bits. */
#ifndef I3D_FLOW_KERNEL_H
#define I3D_FLOW_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The solver's state: a row of pixels is ten sections side by side, each `stride` floats, so that
 * one row is one stream of memory. In front of Q11 and Q21 stands a section that ends in zeros:
 * what the divergence finds to the left of the first column.
 *
 * U, V: the flow. Q11, Q12 (of U) and Q21, Q22 (of V): theta times the dual variables.
 * NX, NY: the unit gradient n of the warped picture. R: its residual over |gradient| at zero flow.
 * T: lambda theta |gradient|. */
enum section { U, V, NX, Q11, NY, Q21, R, Q12, T, Q22, SECTIONS };

enum {
    LANES = 16
}; /* sections are filled in multiples of this; what lies beyond `width` is idle */

/* What a warp samples: grey, d/dx, d/dy, 0 of each pixel, with BORDER more on every side. */
enum { BORDER = 4, CHANNELS = 4 };

/* Bicubic weights of each position within a pixel: four along y; four along x, each repeated for
 * the channels of a tap. */
struct weights {
    int bits, pad[15]; /* 1 << bits positions a pixel */
    float x[256][4 * CHANNELS];
    float y[256][4];
};

/* One row to warp. */
struct warp_row {
    const struct weights *weights;
    const float *taps; /* [height + 2 BORDER, width + 2 BORDER, CHANNELS] of the second picture */
    const float *grey; /* row y of the first picture */
    int width, height, y, stride;
    bool inside; /* a sample that needs a tap beyond the border has gradient 0 */
    float gain;  /* what both pictures are multiplied by */
    float lambda_theta;
    int *offset, *at_x, *at_y; /* scratch, [width] */
    float *sample;             /* scratch, [width, CHANNELS] */
};

struct flow_kernels {
    const char *name;

    /* u += data step + div q of one row; `above` is the row before it (zeros before the first).
     * The flow is repeated once behind the last column, so that its gradient there is 0. Adds each
     * column's |change|^2 to change[], which has LANES more than columns. */
    void (*primal)(float *row, const float *above, int width, int stride, float *change);

    /* q = (q + tau grad u) / (1 + tau / theta |grad u|) of one row; `below` is the row behind it,
     * or the row itself for the last. */
    void (*dual)(float *row, const float *below, int width, int stride, float tau, float tau_theta);

    /* Warps one row by its flow and fills its sections NX, NY, R, T. */
    void (*warp)(const struct warp_row *warp, float *row);

    /* Sets the flow of one row to zero where that explains a pixel better. */
    void (*recheck)(const struct warp_row *warp, float *row);

    /* Raises each column of `most` to the row's |value|. */
    void (*largest)(const float *restrict row, int width, float *restrict most);

    /* Values in whole steps, the first and the last repeated twice beyond them. */
    void (*to_steps)(const float *restrict row, int width, float steps, int16_t *restrict out);

    /* Median of each window of 3 x 3 or 5 x 5, a step being `unit`; its rows are as to_steps()
     * makes them. `scratch` holds as many rows of width + 4. */
    void (*median3)(const int16_t *const rows[3], int width, float unit, int16_t *restrict scratch,
                    float *restrict out);
    void (*median5)(const int16_t *const rows[5], int width, float unit, int16_t *restrict scratch,
                    float *restrict out);
};

/* The fastest table that this processor can run. */
const struct flow_kernels *flow_kernels_best(void);

/* All that this processor can run, plain C first. Ends with NULL. */
const struct flow_kernels *const *flow_kernels_all(void);

#endif
