/* A picture at several sizes, each ready to be warped. */
#ifndef I3D_FLOW_PYRAMID_H
#define I3D_FLOW_PYRAMID_H

#include <i3d/flow.h>

enum { PYRAMID_LEVELS = 32, PYRAMID_SIDE = 16 /* no level but the first is smaller */ };

/* The sizes, finest first, and where a picture keeps each level. */
struct pyramid {
    const i3d_flow_options *options; /* borrowed */
    int count;
    struct level {
        int width, height;
        size_t grey; /* offset in floats of [height, width] */
        size_t taps; /* of [height + 2 BORDER, width + 2 BORDER, CHANNELS], as in kernel.h */
    } levels[PYRAMID_LEVELS];
    size_t floats; /* that a picture needs */
};

struct pyramid pyramid_plan(const i3d_flow_options *options, int width, int height);

/* Columns and rows of a plane of floats. */
struct plane {
    int width, height;
    size_t pitch; /* floats between two rows */
    float *cells;
};

/* Keys' kernel with parameter a: what four taps weigh `at` 0..1 between the second and the third.
 */
void cubic_weights(double a, double at, float out[4]);

/* out = gain * picture in another size, in steps of its pixels, edges repeated: at (x step_x,
 * y step_y) if options->bicubic, otherwise at ((x + .5) step_x - .5, (y + .5) step_y - .5).
 * `scratch` holds two floats for each column of the wider one. */
void plane_scale(const i3d_flow_options *options, const struct plane *picture, double step_x,
                 double step_y, float gain, float *scratch, struct plane *out);

/* Fills `picture` [pyramid->floats]; its border cells must be zero before. `scratch` holds
 * 2 * width * (1 + height) floats. */
void pyramid_build(const struct pyramid *pyramid, const uint8_t *grey, float *scratch,
                   float *picture);

#endif
