/* The flow at one level of the pyramid: warp, then iterate, a few times. */
#ifndef I3D_FLOW_SOLVER_H
#define I3D_FLOW_SOLVER_H

#include "flow/kernel.h"
#include "flow/pyramid.h"

/* Memory for levels up to the size it was made for. */
struct solver {
    const struct flow_kernels *kernels;
    const i3d_flow_options *options; /* a loan */
    struct weights *weights;
    int width, height; /* of the level at work */
    int stride;        /* floats of a section of a row, see kernel.h */
    size_t pitch;      /* floats of a row: an odd number of cache lines */
    float *field;      /* a row of zeros, then the rows */
    float *columns;    /* sums or maxima of the columns */
    struct warp_row warp;
    int16_t *steps, *sorted; /* the flow in whole steps, for the median */
};

i3d_status solver_create(const i3d_flow_options *options, int width, int height,
                         struct solver *out);
void solver_clear(struct solver *solver);

/* Flow from `grey` [height, width] to `taps` of one level, both multiplied by `gain`. It starts
 * from the flow u, v of the `coarser` level (NULL: from zero) and replaces it, dense. `scratch` as
 * for plane_scale(). */
void solver_run(struct solver *solver, const struct level *level, const struct level *coarser,
                const float *grey, const float *taps, float gain, float *scratch, float *u,
                float *v);

#endif
