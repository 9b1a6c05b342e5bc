#include "engine/cpu/plan.h"

#include "base/failure.h"
#include "base/talk.h"
#include "engine/head.h"
#include "engine/cpu/head_pool.h"

#include <math.h>
#include <string.h>

/* The sums of this process's clips to those of all. */
static i3d_status join_sums(const struct plan *plan, struct step *step, double *elements)
{
    const struct state *state = &plan->state;
    int channels = step->op->channels;
    double *gradient = state->wide, *product = state->wide + channels;
    i3d_status status = I3D_OK;
    if (!state->join.sum || step->decided->frozen)
        return I3D_OK;
    for (int c = 0; c < channels; c++) {
        gradient[c] = (double)step->sums.gradient[c];
        product[c] = (double)step->sums.product[c];
    }
    TRY(state_join_sums(state, channels, elements, gradient, product));
    for (int c = 0; c < channels; c++) {
        step->sums.gradient[c] = (float)gradient[c];
        step->sums.product[c] = (float)product[c];
    }
out:
    return status;
}

/* From the gradient of the value to that of the convolution's result, in its place. */
static i3d_status pass_norm(const struct plan *plan, struct step *step)
{
    const struct op *op = step->op;
    struct slice raw = plan_raw(plan, step);
    struct slice out_gradient = plan_gradient(plan, op->out, op->out_channel, op->channels);
    float *gamma = state_gradient(&plan->state, op, I3D_PARAM_GAMMA);
    float *beta = state_gradient(&plan->state, op, I3D_PARAM_BETA);
    double epsilon = plan->decided.graph.bn_epsilon;
    double elements = (double)plan->count * (double)raw.map;
    i3d_status status;
    if (gamma || beta || !step->decided->frozen)
        plan->decided.kernels->norm_sum(plan->count, raw, out_gradient,
                                        arena_at(&plan->arena, step->backward_scratch), step->norm,
                                        step->sums);
    for (int c = 0; gamma && c < op->channels; c++)
        gamma[c] = (float)(step->sums.product[c] / sqrt(step->norm.variance[c] + epsilon));
    if (beta)
        memcpy(beta, step->sums.gradient, (size_t)op->channels * sizeof *beta);
    TRY(join_sums(plan, step, &elements));
    plan->decided.kernels->norm_backward(plan->count, plan->decided.samples, out_gradient,
                                         step->norm, step->decided->frozen ? NULL : &step->sums,
                                         elements, epsilon, raw);
out:
    return status;
}

static i3d_status pass_convolution(struct plan *plan, struct step *step)
{
    const struct op *op = step->op;
    const void *raw = plan_raw(plan, step).data;
    void *scratch = arena_at(&plan->arena, step->backward_scratch);
    float *weight = state_gradient(&plan->state, op, I3D_PARAM_WEIGHT);
    i3d_status status = I3D_OK;
    TRY(pass_norm(plan, step));
    if (weight)
        TRY(convolution_run(&step->convolution, PASS_BACKWARD_WEIGHTS, plan_source(plan, op->in),
                            raw, weight, scratch));
    if (!plan->decided.wanted[op->in])
        goto out;
    struct slice in_gradient = plan_gradient(plan, op->in, 0, op->in_channels);
    void *addend = arena_at(&plan->arena, step->addend);
    TRY(convolution_run(&step->convolution, PASS_BACKWARD_DATA, raw, NULL,
                        step->decided->adds ? addend : in_gradient.data, scratch));
    if (step->decided->adds)
        plan->decided.kernels->add((size_t)plan->decided.samples * in_gradient.sample, addend,
                                   in_gradient.data);
out:
    return status;
}

static void pass_pool(const struct plan *plan, const struct step *step)
{
    const struct op *op = step->op;
    plan->decided.kernels->pool_backward(
        op, plan->decided.samples, arena_at(&plan->arena, step->winner),
        plan_gradient(plan, op->out, op->out_channel, op->channels),
        plan_gradient(plan, op->in, 0, op->channels), step->decided->adds);
}

/* Gradients of the samples that a batch lacks are 0. */
static void pack_gradient(const struct plan *plan, int value, const float *gradient)
{
    struct slice to = plan_gradient(plan, value, 0, plan->decided.graph.values[value].channels);
    size_t element = plan->decided.kernels->element;
    plan->decided.kernels->pack(plan->count, gradient, to);
    memset((char *)to.data + (size_t)plan->count * to.sample * element, 0,
           (size_t)(plan->decided.samples - plan->count) * to.sample * element);
}

static void pass_head(struct plan *plan, const struct step *step, const float *logits_gradient)
{
    const struct op *op = step->op;
    struct head head = plan_head(plan, op);
    size_t floats =
        (size_t)plan->decided.samples * value_floats(&plan->decided.graph.values[op->in]);
    float *in_gradient = arena_at(&plan->arena, step->backward_scratch);
    float *in = in_gradient + floats;
    head_backward(&head, plan->count, plan->features, plan->keep_given ? plan->keep : NULL,
                  logits_gradient, state_gradient(&plan->state, op, I3D_PARAM_WEIGHT),
                  state_gradient(&plan->state, op, I3D_PARAM_BIAS),
                  plan->decided.wanted[op->in] ? plan->features_gradient : NULL);
    if (!plan->decided.wanted[op->in])
        return;
    if (plan->decided.graph.head == I3D_HEAD_MAX)
        plan->decided.kernels->unpack(plan->count, plan_value(plan, op->in, 0, op->channels), in);
    head_pool_backward(op, plan->decided.graph.head, plan->count, in, plan->features_gradient,
                       in_gradient);
    pack_gradient(plan, op->in, in_gradient);
}

i3d_status plan_backward(struct plan *plan, const float *logits_gradient, const struct ready *ready)
{
    const struct op *last = plan_last(plan);
    i3d_status status = I3D_OK;
    if (last->kind != OP_HEAD && plan->decided.wanted[last->out])
        pack_gradient(plan, last->out, logits_gradient);
    for (int i = plan->decided.graph.op_count - 1; i >= 0; i--) {
        struct step *step = &plan->steps[i];
        TRY(check_interrupt());
        if (!step->decided->backward)
            continue;
        if (step->op->kind == OP_CONV)
            TRY(pass_convolution(plan, step));
        else if (step->op->kind == OP_POOL)
            pass_pool(plan, step);
        else
            pass_head(plan, step, logits_gradient);
        TRY(state_ready(&plan->state, step->op, ready));
    }
out:
    return status;
}
