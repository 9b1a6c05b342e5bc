#include "engine/reference/sum.h"

void sum_forward(const float *a, const float *b, bool relu, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) {
        float sum = a[i] + b[i];
        out[i] = relu && sum < 0 ? 0 : sum; /* a NaN goes through */
    }
}

void sum_backward(const float *out, const float *out_gradient, bool relu, size_t count,
                  float *a_gradient, float *b_gradient)
{
    for (size_t i = 0; i < count; i++) {
        float gradient = relu && !(out[i] > 0) ? 0 : out_gradient[i];
        if (a_gradient)
            a_gradient[i] += gradient;
        if (b_gradient)
            b_gradient[i] += gradient;
    }
}
