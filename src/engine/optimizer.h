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

/* What the rules below multiply by at a step: l2 is the weight decay. What a rule has no use for
 * is 0. */
struct optimizer_factors {
    float rate, l2;
    float keep1, take1;  /* first moment = keep1 * moment + take1 * gradient */
    float keep2, take2;  /* second moment, of squares */
    float unroot;        /* Adam: 1 / the root of the second moment's correction */
    float under, beside; /* epsilons under the root and beside it */
};

/* SGD:     m = keep1 m + g;                           data -= rate m
 * Adam:    m = keep1 m + take1 g, v = keep2 v + take2 g g;
 *          data -= rate m / (sqrt(v) unroot + beside)
 * RMSprop: v = keep2 v + take2 g g;                   data -= rate g / (sqrt(v + under) + beside)
 * with g = gradient / clips + l2 data. */
struct optimizer_factors optimizer_factors(const struct optimizer *optimizer, long step, double lr);

/* Step 0, 1, ... on `count` floats of one parameter: the mean gradient is `gradient` / clips.
 * `decayed`: weight decay is for it. */
void optimizer_step(const struct optimizer *optimizer, long step, double lr, bool decayed,
                    double clips, const float *gradient, size_t count,
                    float *const moments[OPTIMIZER_MOMENTS_MAX], float *data);

#endif
