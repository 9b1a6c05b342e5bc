/* The pool in front of the logits, on row-major float32 [count, channels, t, h, w]: the average or
 * the maximum over the operation's window, stride 1, of the whole map. */
#ifndef I3D_ENGINE_CPU_HEAD_POOL_H
#define I3D_ENGINE_CPU_HEAD_POOL_H

#include "model/graph.h"

/* features [count, channels, t'] */
void head_pool_forward(const struct op *op, i3d_head head, int count, const float *in,
                       float *features);

/* Overwrites in_gradient; `in` is read for the maximum only. */
void head_pool_backward(const struct op *op, i3d_head head, int count, const float *in,
                        const float *features_gradient, float *in_gradient);

#endif
