/* What is behind a convolution, channel by channel: batch norm (Ioffe, Szegedy 2015) or a bias,
 * then ReLU. Sums are in float64. */
#ifndef I3D_ENGINE_REFERENCE_NORM_H
#define I3D_ENGINE_REFERENCE_NORM_H

#include <i3d/status.h>

#include "base/thread.h"
#include "engine/state.h"
#include "engine/reference/maps.h"

#include <stdbool.h>

struct norm {
    int count, channels; /* samples, channels */
    struct team *team;
    double epsilon;
    bool relu;
    bool frozen; /* uses the running statistics below, otherwise the batch's */
    /* [channels]. Without a gamma there is no norm, and beta is a bias. */
    const float *gamma, *beta, *running_mean, *running_variance;
    double *mean, *variance;   /* [channels], those used, kept for backward (variance: biased) */
    double *sum, *product;     /* [channels], of backward, NULL where there is none */
    const struct state *state; /* joins what is measured with other processes' */
};

/* raw -> out = relu(gamma (raw - mean) / sqrt(variance + epsilon) + beta); raw may be out.
 * `elements`: how many of a channel the statistics are of. */
i3d_status norm_forward(const struct norm *norm, struct maps raw, struct maps out,
                        double *elements);

/* Overwrites raw_gradient [as raw] and, where they are not NULL, gamma_gradient and beta_gradient
 * [channels].
 */
i3d_status norm_backward(const struct norm *norm, struct maps raw, struct maps out,
                         struct maps out_gradient, struct maps raw_gradient, float *gamma_gradient,
                         float *beta_gradient);

#endif
