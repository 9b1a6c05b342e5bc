/* From gradients to better parameters. */
#ifndef I3D_ENGINE_OPTIMIZER_H
#define I3D_ENGINE_OPTIMIZER_H

#include <i3d/engine.h>

#include <stdbool.h>
#include <stddef.h>

enum { OPTIMIZER_MOMENTS_MAX = 2 };

struct optimizer {
    i3d_optimizer kind;
    double momentum;     /* of SGD */
    double weight_decay; /* added to the gradient of weights and biases */
    bool mindspore;      /* Adam and RMSprop in MindSpore's form instead of PyTorch's */
};

/* Floats it keeps beside each parameter. */
int optimizer_moment_count(const struct optimizer *optimizer);

/* Step 0, 1, ... on `count` floats of one parameter: the mean gradient is `gradient` / clips.
 * `decayed`: weight decay is for it. */
void optimizer_step(const struct optimizer *optimizer, long step, double lr, bool decayed,
                    double clips, const float *gradient, size_t count,
                    float *const moments[OPTIMIZER_MOMENTS_MAX], float *data);

#endif
