#include "engine/cpu/plan.h"

#include "base/failure.h"
#include "base/talk.h"
#include "engine/head.h"
#include "engine/cpu/head_pool.h"

#include <math.h>
#include <string.h>

/* The batch's statistics where the running ones have their slots. */
static void write_statistics(const struct plan *plan, const struct step *step, float *gradients)
{
    const struct op *op = step->op;
    double elements = (double)plan->count * (double)map_of(op->size_out);
    double unbiased = elements > 1 ? elements / (elements - 1) : 1;
    float *mean = gradients + plan_param(plan, op, 3);
    float *variance = gradients + plan_param(plan, op, 4);
    for (int c = 0; c < op->channels; c++) {
        mean[c] = step->norm.mean[c];
        variance[c] = (float)(step->norm.variance[c] * unbiased);
    }
}

/* From the gradient of the value to that of the convolution's result, in its place. */
static void pass_norm(const struct plan *plan, const struct step *step, float *gradients)
{
    const struct op *op = step->op;
    struct slice raw = plan_raw(plan, step);
    struct slice out_gradient = plan_gradient(plan, op->out, op->out_channel, op->channels);
    bool gamma = plan_is_trained(plan, op, 1), beta = plan_is_trained(plan, op, 2);
    double epsilon = plan->graph.bn_epsilon;
    if (gamma || beta || !step->frozen)
        plan->kernels->norm_sum(plan->count, raw, out_gradient,
                                arena_at(&plan->arena, step->backward_scratch), step->norm,
                                step->sums);
    for (int c = 0; gamma && c < op->channels; c++)
        gradients[plan_param(plan, op, 1) + (size_t)c] =
            (float)(step->sums.product[c] / sqrt(step->norm.variance[c] + epsilon));
    if (beta)
        memcpy(gradients + plan_param(plan, op, 2), step->sums.gradient,
               (size_t)op->channels * sizeof *gradients);
    plan->kernels->norm_backward(plan->count, plan->samples, out_gradient, step->norm,
                                 step->frozen ? NULL : &step->sums, epsilon, raw);
}

static i3d_status pass_convolution(struct plan *plan, struct step *step, float *gradients)
{
    const struct op *op = step->op;
    const void *raw = plan_raw(plan, step).data;
    void *scratch = arena_at(&plan->arena, step->backward_scratch);
    i3d_status status = I3D_OK;
    pass_norm(plan, step, gradients);
    if (plan_is_trained(plan, op, 0))
        TRY(convolution_backward_weights(&step->convolution,
                                         plan_value(plan, op->in, 0, op->in_channels).data, raw,
                                         gradients + plan_param(plan, op, 0), scratch));
    if (!plan->wanted[op->in])
        goto out;
    struct slice in_gradient = plan_gradient(plan, op->in, 0, op->in_channels);
    void *addend = arena_at(&plan->arena, step->addend);
    TRY(convolution_backward_data(&step->convolution, raw, step->adds ? addend : in_gradient.data,
                                  scratch));
    if (step->adds)
        plan->kernels->add((size_t)plan->samples * in_gradient.sample, addend, in_gradient.data);
out:
    return status;
}

static void pass_pool(const struct plan *plan, const struct step *step)
{
    const struct op *op = step->op;
    plan->kernels->pool_backward(op, plan->samples, arena_at(&plan->arena, step->winner),
                                 plan_gradient(plan, op->out, op->out_channel, op->channels),
                                 plan_gradient(plan, op->in, 0, op->channels), step->adds);
}

/* Gradients of the samples that a batch lacks are 0. */
static void pack_gradient(const struct plan *plan, int value, const float *gradient)
{
    struct slice to = plan_gradient(plan, value, 0, plan->graph.values[value].channels);
    size_t element = plan->kernels->element;
    plan->kernels->pack(plan->count, gradient, to);
    memset((char *)to.data + (size_t)plan->count * to.sample * element, 0,
           (size_t)(plan->samples - plan->count) * to.sample * element);
}

static void pass_head(struct plan *plan, const struct step *step, const float *logits_gradient,
                      float *gradients)
{
    const struct op *op = step->op;
    struct head head = plan_head(plan, op);
    size_t floats = (size_t)plan->samples * value_floats(&plan->graph.values[op->in]);
    float *in_gradient = arena_at(&plan->arena, step->backward_scratch);
    float *in = in_gradient + floats;
    bool weight = plan_is_trained(plan, op, 0), bias = plan_is_trained(plan, op, 1);
    head_backward(&head, plan->count, plan->features, plan->keep_given ? plan->keep : NULL,
                  logits_gradient, weight ? gradients + plan_param(plan, op, 0) : NULL,
                  bias ? gradients + plan_param(plan, op, 1) : NULL,
                  plan->wanted[op->in] ? plan->features_gradient : NULL);
    if (!plan->wanted[op->in])
        return;
    if (plan->graph.head == I3D_HEAD_MAX)
        plan->kernels->unpack(plan->count, plan_value(plan, op->in, 0, op->channels), in);
    head_pool_backward(op, plan->graph.head, plan->count, in, plan->features_gradient, in_gradient);
    pack_gradient(plan, op->in, in_gradient);
}

i3d_status plan_backward(struct plan *plan, const float *logits_gradient, float *gradients)
{
    const struct op *last = &plan->graph.ops[plan->graph.op_count - 1];
    i3d_status status = I3D_OK;
    memset(gradients, 0, i3d_model_data_count(plan->model) * sizeof *gradients);
    if (last->kind != OP_HEAD && plan->wanted[last->out])
        pack_gradient(plan, last->out, logits_gradient);
    for (int i = plan->graph.op_count - 1; i >= 0; i--) {
        struct step *step = &plan->steps[i];
        TRY(check_interrupt());
        if (step->op->kind == OP_CONV && !step->frozen)
            write_statistics(plan, step, gradients);
        if (!step->backward)
            continue;
        if (step->op->kind == OP_CONV)
            TRY(pass_convolution(plan, step, gradients));
        else if (step->op->kind == OP_POOL)
            pass_pool(plan, step);
        else
            pass_head(plan, step, logits_gradient, gradients);
    }
out:
    return status;
}
