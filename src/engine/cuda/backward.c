#include "engine/cuda/plan.h"

#include "base/failure.h"

#include <string.h>

static const float *unscale(const struct plan *plan)
{
    const struct loss_scale *scale = span_at(plan, plan->loss_scale);
    return scale ? &scale->unscale : NULL;
}

static const float *scale_of(const struct plan *plan)
{
    const struct loss_scale *scale = span_at(plan, plan->loss_scale);
    return scale ? &scale->scale : NULL;
}

/* From the gradient of the value to that of the convolution's result, in the place of the latter.
 * Samples that a batch lacks have none. */
static i3d_status pass_norm(const struct plan *plan, const struct step *step)
{
    const struct op *op = step->op;
    const struct state *state = &plan->state;
    struct view raw = raw_view(plan, step, plan->count);
    size_t bytes = op_map(op) * (size_t)op->channels * element_bytes(plan->decided.type);
    int lacking = plan->decided.batch - plan->count;
    struct norm_backward_args args = {
        .in = raw,
        .out_gradient = gradient_view(plan, op->out, op->out_channel, op->channels, plan->count),
        .in_gradient = raw,
        .factors = step_factors(plan, step),
        .relu = op->relu,
        .frozen = step->decided->frozen,
        .workspace = span_at(plan, step->backward_scratch),
        .gamma_gradient = state_gradient(state, op, I3D_PARAM_GAMMA),
        .beta_gradient = state_gradient(state, op, op->norm ? I3D_PARAM_BETA : I3D_PARAM_BIAS),
        .unscale = unscale(plan),
    };
    kernel_norm_backward(card_stream(plan->card), &args);
    if (!lacking)
        return I3D_OK;
    return card_zero(plan->card, (char *)raw.data + (size_t)plan->count * bytes,
                     (size_t)lacking * bytes);
}

/* The weights' gradient, in the machine's form and type, to where and what the parameters' is. */
static void bring_weight(const struct plan *plan, const struct step *step)
{
    const struct weights_job *job = &plan->jobs[step->job];
    kernel_stream stream = card_stream(plan->card);
    int next = step->job + 1;
    uint32_t end = next < plan->job_count ? plan->jobs[next].first_block : plan->job_blocks;
    if (plan->decided.type != ELEMENT_F32) {
        struct view from = { .data = span_at(plan, step->machine_gradient),
                             .type = plan->decided.type,
                             .channels = job->machine_ins,
                             .positions = machine_weights(job) / (size_t)job->machine_ins,
                             .pitch = (size_t)job->machine_ins };
        struct view to = from;
        to.data = span_at(plan, step->wide_gradient);
        to.type = ELEMENT_F32;
        kernel_copy(stream, &(struct copy_args){ .in = from, .out = to });
    }
    struct weights_args args = {
        .jobs = (const struct weights_job *)span_at(plan, plan->jobs_span) + step->job,
        .count = 1,
        .blocks = end - job->first_block,
        .type = plan->decided.type,
        .unscale = unscale(plan),
    };
    kernel_weights_back(stream, &args);
}

static i3d_status pass_weight(const struct plan *plan, const struct step *step)
{
    bool own = plan->decided.type == ELEMENT_F32;
    struct convolution_operands operands = {
        .in = span_at(plan, plan->values[step->op->in]),
        .weight = span_at(plan, own ? step->wide_gradient : step->machine_gradient),
        .out = span_at(plan, step->raw),
        .workspace = span_at(plan, step->backward_scratch),
    };
    i3d_status status = convolver_run(step->passes[CONVOLUTION_WEIGHT], &operands);
    if (status == I3D_OK)
        bring_weight(plan, step);
    return status;
}

static void add_gradient(const struct plan *plan, struct view in, struct view out)
{
    struct sum_args args = { .count = 2, .in = { out, in }, .out = out };
    kernel_sum(card_stream(plan->card), &args);
}

static i3d_status pass_data(const struct plan *plan, const struct step *step)
{
    const struct op *op = step->op;
    struct view gradient = gradient_view(plan, op->in, 0, op->in_channels, plan->count);
    struct view addend = gradient;
    i3d_status status;
    if (step->decided->adds)
        addend.data = span_at(plan, step->addend);
    struct convolution_operands operands = { .in = addend.data,
                                             .weight = span_at(plan, step->machine),
                                             .out = span_at(plan, step->raw),
                                             .workspace = span_at(plan, step->backward_scratch) };
    TRY(convolver_run(step->passes[CONVOLUTION_DATA], &operands));
    if (step->decided->adds)
        add_gradient(plan, addend, gradient);
out:
    return status;
}

static i3d_status pass_convolution(const struct plan *plan, const struct step *step)
{
    i3d_status status;
    TRY(pass_norm(plan, step));
    if (step->passes[CONVOLUTION_WEIGHT])
        TRY(pass_weight(plan, step));
    if (step->passes[CONVOLUTION_DATA])
        TRY(pass_data(plan, step));
out:
    return status;
}

static void pass_pool(const struct plan *plan, const struct step *step)
{
    const struct op *op = step->op;
    struct pool_backward_args args = {
        .window = step->window,
        .count = plan->count,
        .winner = span_at(plan, step->winner),
        .out_gradient = gradient_view(plan, op->out, op->out_channel, op->channels, plan->count),
        .in_gradient = gradient_view(plan, op->in, 0, op->channels, plan->count),
        .add = step->decided->adds,
    };
    if (plan->decided.wanted[op->in])
        kernel_pool_backward(card_stream(plan->card), &args);
}

/* What the sum's ReLU lets through goes to one of its two values. */
static void pass_sum(const struct plan *plan, const struct op *op, int value, bool adds)
{
    struct view to = gradient_view(plan, value, 0, op->channels, plan->count);
    struct sum_args args = {
        .count = 1,
        .in = { gradient_view(plan, op->out, op->out_channel, op->channels, plan->count) },
        .out = to,
    };
    if (!plan->decided.wanted[value])
        return;
    if (op->relu)
        args.mask = value_view(plan, op->out, op->out_channel, op->channels, plan->count);
    if (adds)
        args.in[args.count++] = to;
    kernel_sum(card_stream(plan->card), &args);
}

static void pass_head(const struct plan *plan, const struct step *step)
{
    const struct op *op = step->op;
    struct head_args args = head_arguments(plan, op, plan->count);
    bool wanted = plan->decided.wanted[op->in];
    args.logits_gradient = span_at(plan, plan->logits_gradient);
    args.weight_gradient = state_gradient(&plan->state, op, I3D_PARAM_WEIGHT);
    args.bias_gradient = state_gradient(&plan->state, op, I3D_PARAM_BIAS);
    args.kept_gradient = wanted ? span_at(plan, plan->kept_gradient) : NULL;
    args.scale = scale_of(plan);
    args.in_gradient = gradient_view(plan, op->in, 0, op->channels, plan->count);
    args.add = step->decided->adds;
    kernel_head_backward(card_stream(plan->card), &args);
}

/* Of a network without a head. */
static void begin(const struct plan *plan, const struct op *last)
{
    const struct value *value = &plan->decided.graph.values[last->out];
    struct layout_args args = { .count = plan->count,
                                .map = value_positions(plan, last->out),
                                .floats = span_at(plan, plan->logits_gradient),
                                .view =
                                    gradient_view(plan, last->out, 0, value->channels, plan->count),
                                .scale = scale_of(plan) };
    kernel_pack(card_stream(plan->card), &args);
}

i3d_status cuda_run_step_back(const struct plan *plan, int i)
{
    const struct step *step = &plan->steps[i];
    const struct op *op = step->op;
    if (!step->decided->backward)
        return I3D_OK;
    switch (op->kind) {
    case OP_CONV:
        return pass_convolution(plan, step);
    case OP_POOL:
        pass_pool(plan, step);
        break;
    case OP_ADD:
        pass_sum(plan, op, op->in, step->decided->adds);
        pass_sum(plan, op, op->with, step->decided->adds_with);
        break;
    case OP_HEAD:
        pass_head(plan, step);
        break;
    }
    return I3D_OK;
}

i3d_status cuda_run_backward(struct plan *plan)
{
    const struct op *last = last_op(plan);
    i3d_status status = I3D_OK;
    if (last->kind != OP_HEAD && plan->decided.wanted[last->out])
        begin(plan, last);
    for (int i = plan->decided.graph.op_count - 1; i >= 0; i--)
        TRY(cuda_run_step_back(plan, i));
    TRY(card_check(plan->card));
out:
    return status;
}

i3d_status cuda_backward(struct plan *plan, const float *logits_gradient, const struct ready *ready)
{
    const struct graph *graph = &plan->decided.graph;
    i3d_status status;
    TRY(card_use(plan->card));
    TRY(card_upload(plan->card, span_at(plan, plan->logits_gradient), logits_gradient,
                    (size_t)plan->count * graph_output_floats(graph) * sizeof *logits_gradient));
    TRY(cuda_run_pass(plan, &plan->backward, cuda_run_backward));
    for (int i = graph->op_count - 1; i >= 0; i--)
        if (plan->steps[i].decided->backward)
            TRY(state_ready(&plan->state, &graph->ops[i], ready));
out:
    return status;
}
