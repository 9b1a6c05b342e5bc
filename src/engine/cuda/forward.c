#include "engine/cuda/plan.h"

#include "base/failure.h"

#include <string.h>

/* Samples that a batch lacks are 0 where a convolution reads them: what it makes of them is finite,
 * and adds nothing to a gradient. */
static i3d_status zero_tail(const struct plan *plan, int value)
{
    size_t sample = value_positions(plan, value) * (size_t)value_pitch(plan, value) *
                    element_bytes(plan->decided.type);
    char *data = span_at(plan, plan->values[value]);
    int lacking = plan->decided.batch - plan->count;
    if (!lacking || !data)
        return I3D_OK;
    return card_zero(plan->card, data + (size_t)plan->count * sample, (size_t)lacking * sample);
}

static i3d_status place_clip(const struct plan *plan)
{
    const struct value *clip = &plan->decided.graph.values[0];
    struct clip_args args = { .from = plan->slot.clip,
                              .count = plan->count,
                              .channels = clip->channels,
                              .size = { clip->t, clip->h, clip->w },
                              .fold = plan->decided.folded ? &plan->decided.fold : NULL,
                              .out = value_view(plan, 0, 0, plan->decided.clip_channels,
                                                plan->count) };
    kernel_clip(card_stream(plan->card), &args);
    return zero_tail(plan, 0);
}

static i3d_status run_product(const struct plan *plan, const struct step *step, void *out)
{
    const struct op *op = step->op;
    struct convolution_operands operands = { .in = span_at(plan, plan->values[op->in]),
                                             .weight = span_at(plan, step->machine),
                                             .out = out,
                                             .bias = span_at(plan, step->own_bias),
                                             .workspace = span_at(plan, step->scratch) };
    return convolver_run(step->passes[CONVOLUTION_FORWARD], &operands);
}

/* The statistics, and what follows from them. */
static void prepare_norm(const struct plan *plan, const struct step *step)
{
    const struct op *op = step->op;
    const struct state *state = &plan->state;
    kernel_stream stream = card_stream(plan->card);
    float epsilon = (float)plan->decided.graph.bn_epsilon;
    if (step->decided->frozen) {
        struct factors_args args = {
            .channels = op->channels,
            .gamma = op->norm ? state_param(state, op, I3D_PARAM_GAMMA) : NULL,
            .beta = state_param(state, op, op->norm ? I3D_PARAM_BETA : I3D_PARAM_BIAS),
            .mean = op->norm ? state_param(state, op, I3D_PARAM_MEAN) : NULL,
            .variance = op->norm ? state_param(state, op, I3D_PARAM_VARIANCE) : NULL,
            .epsilon = epsilon,
            .out = step_factors(plan, step),
            .bias = span_at(plan, step->bias),
        };
        kernel_factors(stream, &args);
        return;
    }
    float *mean = state->statistics + op->statistics;
    struct statistics_args args = { .in = raw_view(plan, step, plan->count),
                                    .workspace = span_at(plan, step->scratch),
                                    .gamma = state_param(state, op, I3D_PARAM_GAMMA),
                                    .beta = state_param(state, op, I3D_PARAM_BETA),
                                    .epsilon = epsilon,
                                    .out = step_factors(plan, step),
                                    .mean = mean,
                                    .variance = mean + op->channels };
    kernel_statistics(stream, &args);
}

static i3d_status run_convolution(const struct plan *plan, const struct step *step)
{
    const struct op *op = step->op;
    struct view out = value_view(plan, op->out, op->out_channel, op->channels, plan->count);
    i3d_status status;
    if (step->decided->fused)
        return run_product(plan, step, out.data);
    TRY(run_product(plan, step, span_at(plan, step->raw)));
    prepare_norm(plan, step);
    kernel_norm(card_stream(plan->card),
                &(struct norm_args){ .in = raw_view(plan, step, plan->count),
                                     .out = out,
                                     .factors = step_factors(plan, step),
                                     .relu = op->relu });
out:
    return status;
}

static void run_pool(const struct plan *plan, const struct step *step)
{
    const struct op *op = step->op;
    struct pool_args args = { .window = step->window,
                              .count = plan->count,
                              .in = value_view(plan, op->in, 0, op->channels, plan->count),
                              .out = value_view(plan, op->out, op->out_channel, op->channels,
                                                plan->count),
                              .winner = span_at(plan, step->winner) };
    kernel_pool(card_stream(plan->card), &args);
}

static void run_sum(const struct plan *plan, const struct op *op)
{
    struct sum_args args = {
        .count = 2,
        .in = { value_view(plan, op->in, 0, op->channels, plan->count),
                value_view(plan, op->with, 0, op->channels, plan->count) },
        .out = value_view(plan, op->out, op->out_channel, op->channels, plan->count),
        .relu = op->relu,
    };
    kernel_sum(card_stream(plan->card), &args);
}

i3d_status cuda_run_step(const struct plan *plan, int i)
{
    const struct step *step = &plan->steps[i];
    const struct op *op = step->op;
    i3d_status status = I3D_OK;
    if (op->kind == OP_HEAD) {
        struct head_args args = head_arguments(plan, op, plan->count);
        kernel_head(card_stream(plan->card), &args);
        return I3D_OK;
    }
    if (op->kind == OP_CONV)
        TRY(run_convolution(plan, step));
    else if (op->kind == OP_POOL)
        run_pool(plan, step);
    else
        run_sum(plan, op);
    /* A fused convolution has written whole batches, of its finite input. */
    if (op->kind != OP_CONV || !step->decided->fused)
        TRY(zero_tail(plan, op->out));
out:
    return status;
}

/* Without a head the last value is what is asked for. */
static void unpack_last(const struct plan *plan)
{
    const struct op *last = last_op(plan);
    const struct value *value = &plan->decided.graph.values[last->out];
    struct layout_args args = { .count = plan->count,
                                .map = value_positions(plan, last->out),
                                .floats = span_at(plan, plan->logits),
                                .view =
                                    value_view(plan, last->out, 0, value->channels, plan->count) };
    if (last->kind != OP_HEAD)
        kernel_unpack(card_stream(plan->card), &args);
}

i3d_status cuda_run_forward(struct plan *plan)
{
    i3d_status status;
    TRY(place_clip(plan));
    for (int i = 0; i < plan->decided.graph.op_count; i++)
        TRY(cuda_run_step(plan, i));
    unpack_last(plan);
    TRY(card_check(plan->card));
out:
    return status;
}

/* Bias in the type that the convolution takes. */
static void load_bias(const struct plan *plan, const struct step *step)
{
    struct view from = { .data = span_at(plan, step->bias),
                         .type = ELEMENT_F32,
                         .channels = step->op->channels,
                         .positions = 1,
                         .pitch = (size_t)step->op->channels };
    struct view to = from;
    to.data = span_at(plan, step->own_bias);
    to.type = plan->decided.type;
    kernel_copy(card_stream(plan->card), &(struct copy_args){ .in = from, .out = to });
}

/* Weights in the machine's form, of parameters that changed. */
i3d_status cuda_load_changed(struct plan *plan)
{
    struct weights_args args = { .jobs = span_at(plan, plan->jobs_span),
                                 .count = plan->job_count,
                                 .blocks = plan->job_blocks,
                                 .type = plan->decided.type };
    if (plan->stale == STALE_NONE)
        return I3D_OK;
    for (int i = 0; plan->stale == STALE_ALL && i < plan->decided.graph.op_count; i++)
        if (plan->steps[i].op->kind == OP_CONV && plan->steps[i].decided->fused) {
            prepare_norm(plan, &plan->steps[i]);
            load_bias(plan, &plan->steps[i]);
        }
    if (args.count)
        kernel_weights(card_stream(plan->card), &args);
    plan->stale = STALE_NONE;
    return card_check(plan->card);
}

i3d_status cuda_run_pass(struct plan *plan, struct pass *pass, i3d_status (*run)(struct plan *plan))
{
    i3d_status status;
    if (pass->count != plan->count || pass->keep_given != plan->keep_given) {
        recording_free(pass->recording);
        *pass = (struct pass){ .count = plan->count, .keep_given = plan->keep_given };
    }
    if (!card_records(plan->card) || !pass->runs++)
        return run(plan);
    if (!pass->recording) {
        TRY(card_record(plan->card));
        status = run(plan);
        i3d_status ended = card_record_end(plan->card, &pass->recording);
        TRY(status == I3D_OK ? ended : status);
    }
    TRY(card_replay(plan->card, pass->recording));
out:
    return status;
}

/* Everything that a forward pass reads. */
static i3d_status bring_input(struct plan *plan, int count, const float *input, const float *keep)
{
    const struct graph *graph = &plan->decided.graph;
    size_t clips = (size_t)count, element = sizeof(float);
    i3d_status status;
    plan->count = count;
    plan->keep_given = plan->decided.training && keep && has_head(plan);
    TRY(card_use(plan->card));
    TRY(cuda_load_changed(plan));
    slot_carve(plan, span_at(plan, plan->slots[0]), count, &plan->slot);
    TRY(card_upload(plan->card, plan->slot.clip, input,
                    clips * value_floats(&graph->values[0]) * element));
    if (plan->keep_given)
        TRY(card_upload(plan->card, plan->slot.keep, keep,
                        clips * value_floats(&graph->values[last_op(plan)->out]) * element));
out:
    return status;
}

static i3d_status bring_logits(struct plan *plan, float *logits)
{
    size_t floats = (size_t)plan->count * graph_output_floats(&plan->decided.graph);
    i3d_status status;
    TRY(card_download(plan->card, logits, span_at(plan, plan->logits), floats * sizeof *logits));
    plan->known = plan->applied; /* this has waited for them too */
out:
    return status;
}

i3d_status cuda_forward(struct plan *plan, int count, const float *input, const float *keep,
                        float *logits)
{
    i3d_status status;
    TRY(bring_input(plan, count, input, keep));
    TRY(cuda_run_pass(plan, &plan->forward, cuda_run_forward));
    TRY(bring_logits(plan, logits));
out:
    return status;
}

/* What does the work of an operation. */
static const char *name_kernel(const struct plan *plan, const struct step *step)
{
    switch (step->op->kind) {
    case OP_CONV:
        return is_folded(plan, step->op) ? "cuDNN, folded" : "cuDNN";
    case OP_POOL:
        return "pool";
    case OP_ADD:
        return "sum";
    default:
        return "head";
    }
}

/* The clip's way into its layout counts to the first operation. */
i3d_status cuda_profile(struct plan *plan, int count, const float *input, float *logits,
                        struct op_time *times)
{
    i3d_status status;
    TRY(bring_input(plan, count, input, NULL));
    for (int i = 0; i < plan->decided.graph.op_count; i++) {
        float milliseconds;
        TRY(card_tick(plan->card));
        if (i == 0)
            TRY(place_clip(plan));
        TRY(cuda_run_step(plan, i));
        TRY(card_tock(plan->card, &milliseconds));
        times[i] = (struct op_time){ .seconds = 1e-3 * (double)milliseconds,
                                     .kernel = name_kernel(plan, &plan->steps[i]) };
    }
    unpack_last(plan);
    TRY(card_check(plan->card));
    TRY(bring_logits(plan, logits));
out:
    return status;
}
