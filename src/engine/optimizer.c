#include "engine/optimizer.h"

#include <math.h>

/* Adam: Kingma, Ba 2015, algorithm 1. RMSprop's decay: PyTorch's and MindSpore's. */
static const double beta1 = .9, beta2 = .999, adam_epsilon = 1e-8;
static const double torch_decay = .99, torch_epsilon = 1e-8;
static const double mindspore_decay = .9, mindspore_epsilon = 1e-10;

int optimizer_moment_count(const struct optimizer *optimizer)
{
    return optimizer->kind == I3D_ADAM ? 2 : 1;
}

/* MindSpore adds epsilon to the root of the uncorrected second moment: a larger one at the start.
 */
static struct optimizer_factors adam_factors(const struct optimizer *optimizer, long step,
                                             double lr)
{
    double correction1 = 1 - pow(beta1, (double)step + 1);
    double root2 = sqrt(1 - pow(beta2, (double)step + 1));
    return (struct optimizer_factors){
        .rate = (float)(lr / correction1),
        .keep1 = (float)beta1,
        .take1 = (float)(1 - beta1),
        .keep2 = (float)beta2,
        .take2 = (float)(1 - beta2),
        .unroot = (float)(1 / root2),
        .beside = (float)(optimizer->mindspore ? adam_epsilon / root2 : adam_epsilon),
    };
}

/* PyTorch adds epsilon to the root, MindSpore under it. */
static struct optimizer_factors rmsprop_factors(const struct optimizer *optimizer, double lr)
{
    double keep = optimizer->mindspore ? mindspore_decay : torch_decay;
    return (struct optimizer_factors){
        .rate = (float)lr,
        .keep2 = (float)keep,
        .take2 = (float)(1 - keep),
        .under = optimizer->mindspore ? (float)mindspore_epsilon : 0,
        .beside = optimizer->mindspore ? 0 : (float)torch_epsilon,
    };
}

struct optimizer_factors optimizer_factors(const struct optimizer *optimizer, long step, double lr)
{
    struct optimizer_factors factors = { .rate = (float)lr, .keep1 = (float)optimizer->momentum };
    if (optimizer->kind == I3D_ADAM)
        factors = adam_factors(optimizer, step, lr);
    else if (optimizer->kind == I3D_RMSPROP)
        factors = rmsprop_factors(optimizer, lr);
    factors.l2 = (float)optimizer->weight_decay;
    return factors;
}

static void adam(struct optimizer_factors by, float clips, const float *gradient, size_t count,
                 float *m, float *v, float *data)
{
    for (size_t i = 0; i < count; i++) {
        float g = gradient[i] / clips + by.l2 * data[i];
        m[i] = by.keep1 * m[i] + by.take1 * g;
        v[i] = by.keep2 * v[i] + by.take2 * g * g;
        data[i] -= by.rate * m[i] / (sqrtf(v[i]) * by.unroot + by.beside);
    }
}

static void sgd(struct optimizer_factors by, float clips, const float *gradient, size_t count,
                float *velocity, float *data)
{
    for (size_t i = 0; i < count; i++) {
        velocity[i] = by.keep1 * velocity[i] + gradient[i] / clips + by.l2 * data[i];
        data[i] -= by.rate * velocity[i];
    }
}

static void rmsprop(struct optimizer_factors by, float clips, const float *gradient, size_t count,
                    float *square, float *data)
{
    for (size_t i = 0; i < count; i++) {
        float g = gradient[i] / clips + by.l2 * data[i];
        square[i] = by.keep2 * square[i] + by.take2 * g * g;
        data[i] -= by.rate * g / (sqrtf(square[i] + by.under) + by.beside);
    }
}

void optimizer_step(const struct optimizer *optimizer, long step, double lr, bool decayed,
                    double clips, const float *gradient, size_t count,
                    float *const moments[OPTIMIZER_MOMENTS_MAX], float *data)
{
    struct optimizer_factors by = optimizer_factors(optimizer, step, lr);
    if (!decayed)
        by.l2 = 0;
    switch (optimizer->kind) {
    case I3D_ADAM:
        adam(by, (float)clips, gradient, count, moments[0], moments[1], data);
        break;
    case I3D_SGD:
        sgd(by, (float)clips, gradient, count, moments[0], data);
        break;
    case I3D_RMSPROP:
        rmsprop(by, (float)clips, gradient, count, moments[0], data);
        break;
    }
}
