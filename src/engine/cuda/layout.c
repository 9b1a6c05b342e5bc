/* What is needed when, in the time of engine/passes.h. */
#include "engine/cuda/plan.h"

#include "base/failure.h"

/* From the first moment to the last. */
static i3d_status keep(struct plan *plan, size_t bytes, int *out)
{
    return arena_add(&plan->arena, bytes, -1, 2 * GRAPH_OPS_MAX, out);
}

static i3d_status keep_floats(struct plan *plan, size_t floats, int *out)
{
    return keep(plan, floats * sizeof(float), out);
}

static size_t element(const struct plan *plan)
{
    return element_bytes(plan->decided.type);
}

static size_t value_bytes(const struct plan *plan, int value)
{
    return (size_t)plan->decided.batch * value_positions(plan, value) *
           (size_t)value_pitch(plan, value) * element(plan);
}

/* Whether backward() of this step reads the value: as what it multiplied, or as a sum's mask. */
static bool reads_again(const struct plan *plan, const struct step *step, int value)
{
    const struct op *op = step->op;
    if (op->kind == OP_ADD)
        return step->decided->backward && op->relu && op->out == value;
    return op->kind == OP_CONV && op->in == value &&
           state_is_trained(&plan->state, op, I3D_PARAM_WEIGHT);
}

static bool is_read(const struct op *op, int value)
{
    return op->in == value || op->with == value;
}

/* The network's result is there when all is done. */
static i3d_status add_value(struct plan *plan, int value)
{
    const struct graph *graph = &plan->decided.graph;
    int steps = graph->op_count;
    int begin = value ? steps : 0, end = 0, gradient_begin = 2 * steps, gradient_end = 0;
    bool read = false;
    i3d_status status;
    for (int i = 0; i < steps; i++) {
        const struct step *step = &plan->steps[i];
        bool reads = is_read(step->op, value), writes = step->op->out == value;
        if (!reads && !writes)
            continue;
        begin = begin < forward_time(i) ? begin : forward_time(i);
        end = later(end, reads_again(plan, step, value) ? backward_time(&plan->decided.graph, i)
                                                        : forward_time(i));
        if (writes && step->decided->backward)
            gradient_end = later(gradient_end, backward_time(&plan->decided.graph, i));
        if (reads) {
            read = true;
            gradient_begin =
                backward_time(&plan->decided.graph, i); /* that of the last step is the earliest */
        }
    }
    if (!read) {
        gradient_begin = backward_time(&plan->decided.graph, steps - 1);
        end = later(end, 2 * steps);
    }
    TRY(arena_add(&plan->arena, value_bytes(plan, value), begin, end, &plan->values[value]));
    if (plan->decided.wanted[value])
        TRY(arena_add(&plan->arena, value_bytes(plan, value), gradient_begin, gradient_end,
                      &plan->gradients[value]));
out:
    return status;
}

static size_t pass_workspace(const struct step *step, enum convolution_pass pass)
{
    return step->passes[pass] ? convolver_workspace(step->passes[pass]) : 0;
}

static i3d_status add_backward(struct plan *plan, int i, size_t norm)
{
    struct step *step = &plan->steps[i];
    size_t weights = machine_weights(&plan->jobs[step->job]);
    int backward = backward_time(&plan->decided.graph, i);
    i3d_status status = I3D_OK;
    size_t data = pass_workspace(step, CONVOLUTION_DATA);
    size_t weight = pass_workspace(step, CONVOLUTION_WEIGHT);
    TRY(arena_add(&plan->arena, larger(norm, larger(data, weight)), backward, backward,
                  &step->backward_scratch));
    if (step->passes[CONVOLUTION_WEIGHT]) {
        TRY(arena_add(&plan->arena, weights * sizeof(float), backward, backward,
                      &step->wide_gradient));
        if (plan->decided.type != ELEMENT_F32)
            TRY(arena_add(&plan->arena, weights * element(plan), backward, backward,
                          &step->machine_gradient));
    }
    if (step->passes[CONVOLUTION_DATA] && step->decided->adds)
        TRY(arena_add(&plan->arena, value_bytes(plan, step->op->in), backward, backward,
                      &step->addend));
out:
    return status;
}

static i3d_status add_convolution(struct plan *plan, int i)
{
    struct step *step = &plan->steps[i];
    const struct op *op = step->op;
    size_t channels = (size_t)op->channels, norm = 0;
    size_t positions = (size_t)plan->decided.batch * op_map(op);
    int forward = forward_time(i);
    i3d_status status;
    TRY(keep_floats(plan, 4 * channels, &step->factors));
    if (step->decided->fused) {
        TRY(keep_floats(plan, channels, &step->bias));
        TRY(keep(plan, channels * element(plan), &step->own_bias));
    } else {
        norm = norm_workspace(positions, op->channels);
        TRY(arena_add(&plan->arena, positions * channels * element(plan), forward,
                      step->decided->backward ? backward_time(&plan->decided.graph, i) : forward,
                      &step->raw));
    }
    TRY(arena_add(&plan->arena, larger(norm, pass_workspace(step, CONVOLUTION_FORWARD)), forward,
                  forward, &step->scratch));
    if (step->decided->backward)
        TRY(add_backward(plan, i, norm));
out:
    return status;
}

static i3d_status add_pool(struct plan *plan, int i)
{
    struct step *step = &plan->steps[i];
    const struct op *op = step->op;
    size_t winners = (size_t)plan->decided.batch * op_map(op) * (size_t)whole_blocks(op->channels);
    if (!step->decided->backward)
        return I3D_OK;
    return arena_add(&plan->arena, winners, forward_time(i), backward_time(&plan->decided.graph, i),
                     &step->winner);
}

static i3d_status keep_head(struct plan *plan, const struct op *op)
{
    size_t batch = (size_t)plan->decided.batch, kept = batch * (size_t)op->channels;
    size_t features = kept * op_map(op);
    i3d_status status;
    TRY(keep_floats(plan, features, &plan->features));
    TRY(keep_floats(plan, kept, &plan->kept));
    if (!plan->decided.training)
        goto out;
    TRY(keep_floats(plan, kept, &plan->kept_gradient));
    if (plan->decided.graph.head == I3D_HEAD_MAX)
        TRY(keep(plan, features * sizeof(int32_t), &plan->winner));
out:
    return status;
}

/* What training alone needs all the time. */
static i3d_status keep_training(struct plan *plan)
{
    struct slot slot;
    const struct graph *graph = &plan->decided.graph;
    size_t blocks = plan->trained.blocks + plan->norms.blocks;
    size_t segments = (size_t)(plan->trained.count + plan->norms.count + plan->running.count) *
                      sizeof(struct segment);
    i3d_status status;
    TRY(keep_floats(plan, graph->floats, &plan->parameter_gradients));
    TRY(keep_floats(plan, graph->statistics, &plan->statistics));
    for (int m = 0; m < optimizer_moment_count(&plan->state.optimizer); m++)
        TRY(keep_floats(plan, plan->state.trained_floats, &plan->moments[m]));
    TRY(keep_floats(plan, (size_t)plan->decided.batch * graph_output_floats(graph),
                    &plan->logits_gradient));
    TRY(keep(plan, segments, &plan->segments));
    TRY(keep(plan, (1 + (size_t)plan->decided.batch) * sizeof(double), &plan->losses));
    for (int lane = 0; lane < CARD_LANES; lane++)
        TRY(keep(plan, slot_carve(plan, NULL, plan->decided.batch, &slot), &plan->slots[lane]));
    TRY(keep(plan, sizeof(struct step_result), &plan->results));
    TRY(keep(plan, blocks * sizeof(double), &plan->check_scratch));
    if (plan->decided.scaled)
        TRY(keep(plan, sizeof(struct loss_scale), &plan->loss_scale));
out:
    return status;
}

static i3d_status keep_all(struct plan *plan)
{
    const struct graph *graph = &plan->decided.graph;
    size_t batch = (size_t)plan->decided.batch;
    i3d_status status;
    TRY(keep_floats(plan, graph->floats, &plan->params));
    TRY(keep(plan, (size_t)plan->job_count * sizeof *plan->jobs, &plan->jobs_span));
    TRY(keep_floats(plan, batch * graph_output_floats(graph), &plan->logits));
    if (has_head(plan))
        TRY(keep_head(plan, last_op(plan)));
    if (plan->decided.training)
        TRY(keep_training(plan));
out:
    return status;
}

i3d_status cuda_lay_out(struct plan *plan)
{
    const struct graph *graph = &plan->decided.graph;
    struct slot slot;
    i3d_status status;
    TRY(keep_all(plan));
    if (!plan->decided.training)
        TRY(arena_add(&plan->arena, slot_carve(plan, NULL, plan->decided.batch, &slot), -1, 0,
                      &plan->slots[0]));
    for (int v = 0; v < graph->value_count; v++)
        if (!has_head(plan) || v != last_op(plan)->out)
            TRY(add_value(plan, v));
    for (int i = 0; i < graph->op_count; i++) {
        struct step *step = &plan->steps[i];
        if (step->op->kind == OP_CONV) {
            TRY(keep(plan, machine_weights(&plan->jobs[step->job]) * element(plan),
                     &step->machine));
            TRY(add_convolution(plan, i));
        } else if (step->op->kind == OP_POOL) {
            TRY(add_pool(plan, i));
        }
    }
    TRY(arena_place(&plan->arena));
out:
    return status;
}
