/* What the plan asks its convolutions of. On a card it is cuDNN (cudnn.c); a test puts the
 * reference engine's in its place, so that all the rest runs without a card.
 *
 * Values are channels last, [N, t, h, w, C]; weights [K, kt, kh, kw, C] without gaps. */
#ifndef I3D_ENGINE_CUDA_CONVOLUTION_H
#define I3D_ENGINE_CUDA_CONVOLUTION_H

#include <i3d/status.h>

#include "engine/cuda/card.h"
#include "engine/cuda/kernels/kernels.h"

#include <stdbool.h>
#include <stddef.h>

enum convolution_pass { CONVOLUTION_FORWARD, CONVOLUTION_DATA, CONVOLUTION_WEIGHT };

struct convolution_shape {
    enum convolution_pass pass;
    int samples, in_channels, channels;
    int in[3], out[3], kernel[3], stride[3], front[3], back[3]; /* t, h, w */
    int out_pitch; /* elements from one position of the output to the next */
    enum element type;
    bool tf32;         /* float32 may be cut to 10 bits where it is multiplied */
    bool biased, relu; /* of CONVOLUTION_FORWARD: + bias, then ReLU */
};

/* Makes convolutions for one card. */
struct convolver;
struct convolution;

struct convolver_options {
    bool deterministic; /* the same bits in every run */
    int tries;          /* ways of computing that are measured for a convolution, at least 1 */
    const char *cache;  /* file that keeps what was chosen, or NULL */
};

i3d_status convolver_create(struct card *card, const struct convolver_options *options,
                            struct convolver **out);
void convolver_free(struct convolver *convolver); /* NULL is fine */

/* I3D_EUNSUPPORTED: this cannot be computed in this way; another one may be. */
i3d_status convolver_plan(struct convolver *convolver, const struct convolution_shape *shape,
                          struct convolution **out);

/* Gives back the memory that planning took. */
void convolver_rest(struct convolver *convolver);

/* Bytes of scratch that a run needs. */
size_t convolver_workspace(const struct convolution *convolution);

/* Milliseconds it took when it was chosen; 0: it was not measured. */
float convolver_milliseconds(const struct convolution *convolution);

/* Forward: in, weight, bias -> out. Data: out (its gradient), weight -> in (overwritten). Weight:
 * in, out (its gradient) -> weight (its gradient, overwritten). All are of the shape's type. */
struct convolution_operands {
    void *in, *weight, *out, *bias, *workspace;
};
i3d_status convolver_run(struct convolution *convolution,
                         const struct convolution_operands *operands);
void convolver_release(struct convolution *convolution); /* NULL is fine */

#endif
