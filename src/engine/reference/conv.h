/* Convolution and its two gradients, [N, C, t, h, w], one row of the output at a time.
 *
 * For an output row every tap k of the kernel, over all input channels, is a row of the input: read
 * at the stride and shifted, zero where it is padding. A block of such rows is gathered once and
 * multiplied into the rows of all output channels. The gradient of the data is the same with the
 * rows of the output's gradient spread instead of gathered. */
#ifndef I3D_ENGINE_REFERENCE_CONV_H
#define I3D_ENGINE_REFERENCE_CONV_H

#include <i3d/status.h>

#include "base/thread.h"
#include "engine/reference/maps.h"
#include "model/graph.h"

struct conv {
    const struct op *op;
    int count;
    struct team *team;
    void *const *scratch; /* one a worker, conv_scratch_bytes() each */
};

/* The same functions with sums in float32 and in float64. */
struct conv_functions {
    /* weight [out, in, kt, kh, kw] */
    i3d_status (*forward)(const struct conv *conv, struct maps in, const float *weight,
                          struct maps out);
    i3d_status (*backward_weight)(const struct conv *conv, struct maps in, struct maps out_gradient,
                                  float *weight_gradient);
    /* turned [in, out, kt, kh, kw]; adds to in_gradient. */
    i3d_status (*backward_data)(const struct conv *conv, struct maps out_gradient,
                                const float *turned, struct maps in_gradient);
};
extern const struct conv_functions conv_f32, conv_f64;

/* Rows gathered at a time; rows whose weights' gradients are one thread's work. */
enum { CONV_BLOCK = 128, CONV_GRAD_BLOCK = 16 };

/* A row of `w`, rounded up to whole vectors. */
static inline size_t conv_width(int w)
{
    return ((size_t)w + 3) / 4 * 4;
}

static inline size_t conv_scratch_bytes(const struct op *op)
{
    size_t in = conv_width(op->size_in[2]), out = conv_width(op->size_out[2]);
    size_t width = in > out ? in : out;
    size_t channels = (size_t)(op->in_channels > op->channels ? op->in_channels : op->channels);
    return ((width + CONV_GRAD_BLOCK) * channels + (CONV_BLOCK + 1) * width) * sizeof(double);
}

#endif
