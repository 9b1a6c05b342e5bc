/* One convolution of a plan: its primitives, and its weights in the formats they want. */
#ifndef I3D_ENGINE_ONEDNN_CONVOLUTION_H
#define I3D_ENGINE_ONEDNN_CONVOLUTION_H

#include "engine/onednn/primitive.h"

/* A primitive that reads weights, these as it wants them, and the reorder that makes them. */
struct weighted {
    struct primitive *run, *pack;
    void *weights;
};

/* Zeroed memory is no convolution.
 *
 * In bfloat16 a fused one of 1x1x1 is run twice: `rest` first, with what the rounding of the
 * weights leaves, and `forward` on top of it. It has few weights to one result, whose errors do not
 * cancel, and costs little; those of larger kernels are made to cancel. */
struct convolution {
    struct convolution_shape shape;
    struct weighted forward, rest, backward_data;
    struct primitive *backward_weights, *unpack_gradient;
    struct primitive *pack_src, *pack_dst; /* for `backward_weights`, NULL: it takes them as is */
    float *bias;                           /* [channels], fused only */
};

/* Where the parameters of the operation are now; gamma NULL: only the weights count. */
struct convolution_params {
    const float *weight, *gamma, *beta, *mean, *variance;
    double epsilon;
};

i3d_status convolution_create(struct device *device, const struct convolution_shape *shape,
                              bool backward_data, bool backward_weights, struct convolution *out);
void convolution_clear(struct convolution *convolution);

/* Bytes each call needs for a while. */
size_t convolution_load_bytes(const struct convolution *convolution);
size_t convolution_pass_bytes(const struct convolution *convolution, enum pass pass);
size_t convolution_bytes(const struct convolution *convolution); /* held all the time */

/* Of a fused one the batch norm goes into weights and bias; I3D_EFORMAT if one is not finite. */
i3d_status convolution_load(struct convolution *convolution,
                            const struct convolution_params *params, void *scratch);

i3d_status convolution_forward(struct convolution *convolution, const void *in, void *out,
                               void *scratch);
i3d_status convolution_backward_data(struct convolution *convolution, const void *out_gradient,
                                     void *in_gradient, void *scratch);

/* weight_gradient is [out, in, kt, kh, kw] in float32. */
i3d_status convolution_backward_weights(struct convolution *convolution, const void *in,
                                        const void *out_gradient, float *weight_gradient,
                                        void *scratch);

#endif
