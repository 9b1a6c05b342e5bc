/* Batch normalisation and ReLU, channel by channel (Ioffe, Szegedy 2015). Sums are in float64. */
#ifndef I3D_ENGINE_REFERENCE_NORM_H
#define I3D_ENGINE_REFERENCE_NORM_H

#include <i3d/status.h>

#include "engine/reference/slice.h"

#include <stdbool.h>

struct norm {
    int count, channels, threads; /* samples, channels */
    double epsilon;
    bool frozen; /* uses the running statistics below, otherwise the batch's */
    const float *gamma, *beta, *running_mean, *running_variance; /* [channels] */
    double *mean, *variance; /* [channels], those used, kept for backward (variance: biased) */
};

/* raw -> out = max(0, gamma (raw - mean) / sqrt(variance + epsilon) + beta); raw may be out. */
i3d_status norm_forward(const struct norm *norm, struct slice raw, struct slice out);

/* Overwrites raw_grad [as raw] and, where they are not NULL, gamma_grad and beta_grad [channels].
 */
i3d_status norm_backward(const struct norm *norm, struct slice raw, struct slice out,
                         struct slice out_grad, struct slice raw_grad, float *gamma_grad,
                         float *beta_grad);

#endif
