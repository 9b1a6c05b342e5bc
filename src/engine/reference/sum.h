/* The sum of two activations, with ReLU. */
#ifndef I3D_ENGINE_REFERENCE_SUM_H
#define I3D_ENGINE_REFERENCE_SUM_H

#include <stdbool.h>
#include <stddef.h>

/* out = relu(a + b) of `count` floats. */
void sum_forward(const float *a, const float *b, bool relu, size_t count, float *out);

/* Adds to the gradients that are not NULL. */
void sum_backward(const float *out, const float *out_gradient, bool relu, size_t count,
                  float *a_gradient, float *b_gradient);

#endif
