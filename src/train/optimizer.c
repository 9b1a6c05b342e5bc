#include "train/optimizer.h"

#include "base/failure.h"
#include "base/memory.h"

#include <math.h>

/* Adam: Kingma, Ba 2015, algorithm 1. RMSprop's decay: PyTorch's and MindSpore's. */
static const double beta1 = .9, beta2 = .999, adam_epsilon = 1e-8;
static const double torch_decay = .99, torch_epsilon = 1e-8;
static const double mindspore_decay = .9, mindspore_epsilon = 1e-10;

static const struct {
    int count;
    const char *names[OPTIMIZER_MOMENTS_MAX];
} moments[] = {
    [I3D_ADAM] = { 2, { "moment1", "moment2" } },
    [I3D_SGD] = { 1, { "accum" } },
    [I3D_RMSPROP] = { 1, { "mean_square" } },
};

const char *optimizer_moment_name(const struct optimizer *optimizer, int moment)
{
    return moments[optimizer->kind].names[moment];
}

i3d_status optimizer_create(const i3d_model *model, const bool *trained,
                            const i3d_train_options *options, struct optimizer *out)
{
    i3d_status status;
    size_t params = i3d_model_param_count(model);
    *out = (struct optimizer){ .kind = options->optimizer,
                               .momentum = options->momentum,
                               .weight_decay = options->weight_decay,
                               .mindspore = options->mindspore,
                               .moment_count = moments[options->optimizer].count };
    TRY(memory_get(params, sizeof *out->slots, &out->slots));
    for (size_t p = 0; p < params; p++) {
        const i3d_param *param = i3d_model_param(model, p);
        if (!trained[p])
            continue;
        out->slots[out->slot_count++] = (struct optimizer_slot){
            .param = param,
            .at = out->count,
            .decayed = param->kind == I3D_PARAM_WEIGHT || param->kind == I3D_PARAM_BIAS,
        };
        out->count += param->count;
    }
    for (int m = 0; m < out->moment_count; m++)
        TRY(memory_get(out->count, sizeof(float), &out->moments[m]));
out:
    if (status != I3D_OK)
        optimizer_clear(out);
    return status;
}

void optimizer_clear(struct optimizer *optimizer)
{
    for (int m = 0; m < OPTIMIZER_MOMENTS_MAX; m++)
        memory_free(optimizer->moments[m]);
    memory_free(optimizer->slots);
    *optimizer = (struct optimizer){ 0 };
}

/* MindSpore adds epsilon to the root of the uncorrected second moment: a larger one at the start.
 */
static void adam(const struct optimizer *optimizer, long step, double lr, double decay,
                 const float *grad, float *data, size_t at, size_t count)
{
    double correction1 = 1 - pow(beta1, (double)step + 1);
    double root2 = sqrt(1 - pow(beta2, (double)step + 1));
    float *m = optimizer->moments[0] + at, *v = optimizer->moments[1] + at;
    float l2 = (float)decay, rate = (float)(lr / correction1), unroot = (float)(1 / root2);
    float epsilon = (float)(optimizer->mindspore ? adam_epsilon / root2 : adam_epsilon);
    float keep1 = (float)beta1, keep2 = (float)beta2;
    float take1 = (float)(1 - beta1), take2 = (float)(1 - beta2);
    for (size_t i = 0; i < count; i++) {
        float g = grad[i] + l2 * data[i];
        m[i] = keep1 * m[i] + take1 * g;
        v[i] = keep2 * v[i] + take2 * g * g;
        data[i] -= rate * m[i] / (sqrtf(v[i]) * unroot + epsilon);
    }
}

static void sgd(const struct optimizer *optimizer, double lr, double decay, const float *grad,
                float *data, size_t at, size_t count)
{
    float *velocity = optimizer->moments[0] + at;
    float l2 = (float)decay, rate = (float)lr, momentum = (float)optimizer->momentum;
    for (size_t i = 0; i < count; i++) {
        velocity[i] = momentum * velocity[i] + grad[i] + l2 * data[i];
        data[i] -= rate * velocity[i];
    }
}

/* PyTorch adds epsilon to the root, MindSpore under it. */
static void rmsprop(const struct optimizer *optimizer, double lr, double decay, const float *grad,
                    float *data, size_t at, size_t count)
{
    float *square = optimizer->moments[0] + at;
    double keep = optimizer->mindspore ? mindspore_decay : torch_decay;
    float l2 = (float)decay, rate = (float)lr, keep1 = (float)keep, take = (float)(1 - keep);
    float under = optimizer->mindspore ? (float)mindspore_epsilon : 0;
    float beside = optimizer->mindspore ? 0 : (float)torch_epsilon;
    for (size_t i = 0; i < count; i++) {
        float g = grad[i] + l2 * data[i];
        square[i] = keep1 * square[i] + take * g * g;
        data[i] -= rate * g / (sqrtf(square[i] + under) + beside);
    }
}

void optimizer_step(struct optimizer *optimizer, long step, double lr, const float *grads,
                    float *data)
{
    for (size_t s = 0; s < optimizer->slot_count; s++) {
        const struct optimizer_slot *slot = &optimizer->slots[s];
        size_t offset = slot->param->offset, count = slot->param->count;
        double decay = slot->decayed ? optimizer->weight_decay : 0;
        switch (optimizer->kind) {
        case I3D_ADAM:
            adam(optimizer, step, lr, decay, grads + offset, data + offset, slot->at, count);
            break;
        case I3D_SGD:
            sgd(optimizer, lr, decay, grads + offset, data + offset, slot->at, count);
            break;
        case I3D_RMSPROP:
            rmsprop(optimizer, lr, decay, grads + offset, data + offset, slot->at, count);
            break;
        }
    }
}
