#include "engine/cpu/plan.h"

#include "base/clock.h"
#include "base/failure.h"
#include "base/talk.h"
#include "engine/head.h"
#include "engine/cpu/head_pool.h"
#include "engine/cpu/overflow.h"

#include <math.h>
#include <string.h>

/* Value 0 of this pass. Samples that a batch lacks are 0 everywhere. */
static void place_input(struct plan *plan, int count, const float *input)
{
    const struct value *clip = &plan->decided.graph.values[0];
    size_t elements = plan_elements(plan, 0), element = plan->decided.kernels->element;
    char *to = arena_at(&plan->arena, plan->values[0]);
    plan->input = input;
    if (!to)
        return;
    if (is_row_major(plan, 0))
        plan->decided.kernels->convert((size_t)(count * clip->channels * clip->t), (size_t)clip->h,
                                       (size_t)clip->w, input, to);
    else
        plan->decided.kernels->pack(count, input, plan_value(plan, 0, 0, clip->channels));
    memset(to + (size_t)count * elements * element, 0,
           (size_t)(plan->decided.samples - count) * elements * element);
}

/* Batch norm within the convolution: sample by sample, straight into the value's channels. */
static i3d_status run_fused(struct plan *plan, struct step *step, int count)
{
    const struct op *op = step->op;
    size_t element = plan->decided.kernels->element;
    const char *in = plan_source(plan, op->in);
    size_t sample = plan_elements(plan, op->in);
    struct slice out = plan_value(plan, op->out, op->out_channel, op->channels);
    void *scratch = arena_at(&plan->arena, step->forward_scratch);
    i3d_status status = I3D_OK;
    bool hides = step->convolution.passes[PASS_FORWARD].provider->hides_nan;
    if (hides)
        overflow_forget();
    for (size_t n = 0; n < (size_t)count; n++)
        TRY(convolution_run(&step->convolution, PASS_FORWARD, in + n * sample * element, NULL,
                            (char *)out.data + n * out.sample * element, scratch));
    plan->overflowed |= hides && overflow_seen();
    for (size_t n = (size_t)count; n < (size_t)plan->decided.samples; n++)
        memset((char *)out.data + n * out.sample * element, 0,
               (size_t)whole_blocks(plan, out.channels) * out.map * element);
out:
    return status;
}

/* The batch's mean and variance, of all processes' clips where they are joined. */
static i3d_status measure_norm(struct plan *plan, struct step *step, int count, void *scratch,
                               double *elements)
{
    const struct op *op = step->op;
    struct norm_factors *norm = &step->norm;
    const struct state *state = &plan->state;
    double *mean = state->wide, *variance = state->wide + op->channels;
    i3d_status status = I3D_OK;
    *elements = (double)count * (double)op_map(op);
    plan->decided.kernels->norm_measure(count, plan_raw(plan, step), scratch, *norm);
    if (!state->join.sum)
        return I3D_OK;
    for (int c = 0; c < op->channels; c++) {
        mean[c] = (double)norm->mean[c];
        variance[c] = (double)norm->variance[c];
    }
    TRY(state_join_statistics(state, op->channels, elements, mean, variance));
    for (int c = 0; c < op->channels; c++) {
        norm->mean[c] = (float)mean[c];
        norm->variance[c] = (float)variance[c];
    }
out:
    return status;
}

/* The statistics and what follows from them. */
static i3d_status prepare_norm(struct plan *plan, struct step *step, int count, void *scratch)
{
    const struct op *op = step->op;
    struct norm_factors *norm = &step->norm;
    const struct state *state = &plan->state;
    const float *gamma = state_param(state, op, I3D_PARAM_GAMMA);
    size_t bytes = (size_t)op->channels * sizeof(float);
    double elements;
    i3d_status status = I3D_OK;
    memcpy(norm->shift, state_param(state, op, I3D_PARAM_BETA), bytes);
    if (step->decided->frozen) {
        memcpy(norm->mean, state_param(state, op, I3D_PARAM_MEAN), bytes);
        memcpy(norm->variance, state_param(state, op, I3D_PARAM_VARIANCE), bytes);
    } else {
        TRY(measure_norm(plan, step, count, scratch, &elements));
        for (int c = 0; c < op->channels; c++)
            state_tell_statistics(state, op, c, elements, (double)norm->mean[c],
                                  (double)norm->variance[c]);
    }
    for (int c = 0; c < op->channels; c++)
        norm->scale[c] =
            (float)(gamma[c] / sqrt(norm->variance[c] + plan->decided.graph.bn_epsilon));
out:
    return status;
}

static i3d_status run_normed(struct plan *plan, struct step *step, int count)
{
    const struct op *op = step->op;
    struct slice raw = plan_raw(plan, step);
    void *scratch = arena_at(&plan->arena, step->forward_scratch);
    i3d_status status;
    TRY(convolution_run(&step->convolution, PASS_FORWARD, plan_source(plan, op->in), NULL, raw.data,
                        scratch));
    TRY(prepare_norm(plan, step, count, scratch));
    plan->decided.kernels->norm_apply(count, plan->decided.samples, raw, step->norm,
                                      plan_value(plan, op->out, op->out_channel, op->channels));
out:
    return status;
}

/* Zeroes in the samples a batch lacks pool to zeroes. */
static void run_pool(struct plan *plan, const struct step *step)
{
    const struct op *op = step->op;
    plan->decided.kernels->pool(op, plan->decided.samples,
                                plan_value(plan, op->in, 0, op->channels),
                                plan_value(plan, op->out, op->out_channel, op->channels),
                                arena_at(&plan->arena, step->winner));
}

static void run_head_pool(struct plan *plan, const struct step *step, int count)
{
    const struct op *op = step->op;
    float *row_major = arena_at(&plan->arena, step->forward_scratch);
    size_t features = (size_t)op->channels * (size_t)op->size_out[0];
    plan->decided.kernels->unpack(count, plan_value(plan, op->in, 0, op->channels), row_major);
    head_pool_forward(op, plan->decided.graph.head, count, row_major,
                      plan->features + (size_t)plan->first * features);
}

i3d_status plan_step(struct plan *plan, struct step *step, int count)
{
    if (step->op->kind == OP_CONV)
        return step->decided->fused ? run_fused(plan, step, count) : run_normed(plan, step, count);
    if (step->op->kind == OP_POOL)
        run_pool(plan, step);
    else
        run_head_pool(plan, step, count);
    return I3D_OK;
}

static i3d_status run_pass(struct plan *plan, int count, const float *input)
{
    i3d_status status = I3D_OK;
    plan->overflowed = false;
    place_input(plan, count, input);
    for (int i = 0; i < plan->decided.graph.op_count; i++) {
        TRY(check_interrupt());
        double begin = plan->times ? clock_seconds() : 0;
        TRY(plan_step(plan, &plan->steps[i], count));
        if (plan->times)
            plan->times[i].seconds += clock_seconds() - begin;
    }
out:
    return status;
}

static void run_head(struct plan *plan, const struct op *op, const float *keep, float *logits)
{
    struct head head = plan_head(plan, op);
    head_forward(&head, plan->count, plan->features, keep, logits);
    plan->keep_given = plan->decided.training && keep;
    if (plan->keep_given)
        memcpy(plan->keep, keep,
               (size_t)plan->count * (size_t)head.channels * (size_t)head.t * sizeof *keep);
}

/* Of clip n, in front of the head if there is one. */
static float *find_result(const struct plan *plan, const struct op *last, int n, float *logits)
{
    if (last->kind != OP_HEAD)
        return logits + (size_t)n * graph_output_floats(&plan->decided.graph);
    return plan->features + (size_t)n * (size_t)last->channels * op_map(last);
}

i3d_status plan_forward(struct plan *plan, int count, const float *input, const float *keep,
                        float *logits)
{
    const struct op *last = plan_last(plan);
    size_t in = value_floats(&plan->decided.graph.values[0]),
           out = graph_output_floats(&plan->decided.graph);
    int clips = count < plan->decided.samples ? count : plan->decided.samples, n = 0;
    i3d_status status = I3D_OK;
    plan->count = count;
    TRY(plan_load_changed(plan));
    do { /* once without clips too: other processes may have some */
        plan->first = n;
        TRY(run_pass(plan, clips, input + (size_t)n * in));
        if (last->kind != OP_HEAD)
            plan->decided.kernels->unpack(
                clips,
                plan_value(plan, last->out, 0, plan->decided.graph.values[last->out].channels),
                logits + (size_t)n * out);
        if (plan->overflowed && count)
            *find_result(plan, last, n, logits) = NAN;
        n += clips;
    } while (n < count);
    if (last->kind == OP_HEAD)
        run_head(plan, last, keep, logits);
out:
    return status;
}
