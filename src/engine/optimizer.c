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
static void adam(const struct optimizer *optimizer, long step, double lr, double decay, float clips,
                 const float *gradient, size_t count, float *m, float *v, float *data)
{
    double correction1 = 1 - pow(beta1, (double)step + 1);
    double root2 = sqrt(1 - pow(beta2, (double)step + 1));
    float l2 = (float)decay, rate = (float)(lr / correction1), unroot = (float)(1 / root2);
    float epsilon = (float)(optimizer->mindspore ? adam_epsilon / root2 : adam_epsilon);
    float keep1 = (float)beta1, keep2 = (float)beta2;
    float take1 = (float)(1 - beta1), take2 = (float)(1 - beta2);
    for (size_t i = 0; i < count; i++) {
        float g = gradient[i] / clips + l2 * data[i];
        m[i] = keep1 * m[i] + take1 * g;
        v[i] = keep2 * v[i] + take2 * g * g;
        data[i] -= rate * m[i] / (sqrtf(v[i]) * unroot + epsilon);
    }
}

static void sgd(const struct optimizer *optimizer, double lr, double decay, float clips,
                const float *gradient, size_t count, float *velocity, float *data)
{
    float l2 = (float)decay, rate = (float)lr, momentum = (float)optimizer->momentum;
    for (size_t i = 0; i < count; i++) {
        velocity[i] = momentum * velocity[i] + gradient[i] / clips + l2 * data[i];
        data[i] -= rate * velocity[i];
    }
}

/* PyTorch adds epsilon to the root, MindSpore under it. */
static void rmsprop(const struct optimizer *optimizer, double lr, double decay, float clips,
                    const float *gradient, size_t count, float *square, float *data)
{
    double keep = optimizer->mindspore ? mindspore_decay : torch_decay;
    float l2 = (float)decay, rate = (float)lr, keep1 = (float)keep, take = (float)(1 - keep);
    float under = optimizer->mindspore ? (float)mindspore_epsilon : 0;
    float beside = optimizer->mindspore ? 0 : (float)torch_epsilon;
    for (size_t i = 0; i < count; i++) {
        float g = gradient[i] / clips + l2 * data[i];
        square[i] = keep1 * square[i] + take * g * g;
        data[i] -= rate * g / (sqrtf(square[i] + under) + beside);
    }
}

void optimizer_step(const struct optimizer *optimizer, long step, double lr, bool decayed,
                    double clips, const float *gradient, size_t count,
                    float *const moments[OPTIMIZER_MOMENTS_MAX], float *data)
{
    double decay = decayed ? optimizer->weight_decay : 0;
    switch (optimizer->kind) {
    case I3D_ADAM:
        adam(optimizer, step, lr, decay, (float)clips, gradient, count, moments[0], moments[1],
             data);
        break;
    case I3D_SGD:
        sgd(optimizer, lr, decay, (float)clips, gradient, count, moments[0], data);
        break;
    case I3D_RMSPROP:
        rmsprop(optimizer, lr, decay, (float)clips, gradient, count, moments[0], data);
        break;
    }
}
