/* What is needed when, in the time of engine/passes.h; load() is at -1. */
#include "engine/cpu/plan.h"

#include "base/failure.h"
#include "base/memory.h"

/* Of all samples of a pass. */
static size_t pass_bytes(const struct plan *plan, size_t elements, size_t element)
{
    return memory_sum(0, (size_t)plan->decided.samples, elements * element);
}

static size_t value_bytes(const struct plan *plan, int value)
{
    return pass_bytes(plan, plan_elements(plan, value), plan->decided.kernels->element);
}

/* Whether backward() of this step reads what the step read. */
static bool reads_again(const struct plan *plan, const struct step *step)
{
    if (step->op->kind == OP_HEAD)
        return step->decided->backward && plan->decided.graph.head == I3D_HEAD_MAX;
    return step->op->kind == OP_CONV && state_is_trained(&plan->state, step->op, I3D_PARAM_WEIGHT);
}

/* In inference row-major float32 clips are read where the caller has them. */
static bool is_borrowed(const struct plan *plan, int value)
{
    return !plan->decided.training && is_row_major(plan, value) &&
           plan->decided.kernels->element == sizeof(float);
}

static i3d_status add_value(struct plan *plan, int value)
{
    int begin = value ? plan->decided.graph.op_count : 0, end = 0;
    int gradient_begin = 2 * plan->decided.graph.op_count, gradient_end = 0;
    bool read = false;
    i3d_status status;
    for (int i = 0; i < plan->decided.graph.op_count; i++) {
        const struct step *step = &plan->steps[i];
        if (step->op->out == value) {
            begin = begin < forward_time(i) ? begin : forward_time(i);
            end = later(end, forward_time(i));
            if (step->decided->backward)
                gradient_end = later(gradient_end, backward_time(&plan->decided.graph, i));
        }
        if (step->op->in == value) {
            read = true;
            gradient_begin =
                backward_time(&plan->decided.graph, i); /* that of the last step is the earliest */
            end = later(end, reads_again(plan, step) ? backward_time(&plan->decided.graph, i)
                                                     : forward_time(i));
        }
    }
    if (!read) /* the network's result */
        gradient_begin = backward_time(&plan->decided.graph, plan->decided.graph.op_count - 1);
    if (!is_borrowed(plan, value))
        TRY(arena_add(&plan->arena, value_bytes(plan, value), begin, end, &plan->values[value]));
    if (plan->decided.wanted[value])
        TRY(arena_add(&plan->arena, value_bytes(plan, value), gradient_begin, gradient_end,
                      &plan->gradients[value]));
    status = I3D_OK;
out:
    return status;
}

/* What a convolution's batch norm reads, and the gradient that comes on top of another. */
static i3d_status add_convolution(struct plan *plan, int i)
{
    struct step *step = &plan->steps[i];
    int forward = forward_time(i), backward = backward_time(&plan->decided.graph, i);
    i3d_status status = I3D_OK;
    if (!step->decided->fused)
        TRY(arena_add(&plan->arena,
                      pass_bytes(plan, plan_raw(plan, step).sample, plan->decided.kernels->element),
                      forward, step->decided->backward ? backward : forward, &step->raw));
    if (step->decided->backward && step->decided->adds)
        TRY(arena_add(&plan->arena, value_bytes(plan, step->op->in), backward, backward,
                      &step->addend));
out:
    return status;
}

/* What its passes need for a while. */
static i3d_status add_scratch(struct plan *plan, int i)
{
    struct step *step = &plan->steps[i];
    const struct convolution *convolution = &step->convolution;
    size_t norm = step->decided->fused ? 0
                                       : norm_scratch_bytes(plan->decided.samples,
                                                            step->op->channels, op_map(step->op));
    size_t forward = convolution_run_bytes(convolution, PASS_FORWARD);
    size_t data = convolution_run_bytes(convolution, PASS_BACKWARD_DATA);
    size_t weights = convolution_run_bytes(convolution, PASS_BACKWARD_WEIGHTS);
    i3d_status status;
    TRY(arena_add(&plan->arena, larger(norm, forward), forward_time(i), forward_time(i),
                  &step->forward_scratch));
    if (step->decided->backward)
        TRY(arena_add(&plan->arena, larger(norm, larger(data, weights)),
                      backward_time(&plan->decided.graph, i),
                      backward_time(&plan->decided.graph, i), &step->backward_scratch));
out:
    return status;
}

static i3d_status add_pool(struct plan *plan, int i)
{
    struct step *step = &plan->steps[i];
    size_t channels = (size_t)whole_blocks(plan, step->op->channels);
    size_t winners = pass_bytes(plan, channels * op_map(step->op), 1);
    if (!step->decided->backward)
        return I3D_OK;
    return arena_add(&plan->arena, winners, forward_time(i), backward_time(&plan->decided.graph, i),
                     &step->winner);
}

/* The head works on row-major float32. */
static i3d_status add_head(struct plan *plan, int i)
{
    struct step *step = &plan->steps[i];
    size_t floats = value_floats(&plan->decided.graph.values[step->op->in]);
    int forward = forward_time(i), backward = backward_time(&plan->decided.graph, i);
    i3d_status status;
    TRY(arena_add(&plan->arena, pass_bytes(plan, floats, sizeof(float)), forward, forward,
                  &step->forward_scratch));
    if (step->decided->backward)
        TRY(arena_add(&plan->arena, pass_bytes(plan, 2 * floats, sizeof(float)), backward, backward,
                      &step->backward_scratch));
out:
    return status;
}

i3d_status plan_lay_out(struct plan *plan)
{
    i3d_status status;
    for (int v = 0; v < plan->decided.graph.value_count; v++)
        if (plan_last(plan)->kind != OP_HEAD || v != plan_last(plan)->out)
            TRY(add_value(plan, v));
    for (int i = 0; i < plan->decided.graph.op_count; i++) {
        enum op_kind kind = plan->steps[i].op->kind;
        TRY(kind == OP_CONV   ? add_convolution(plan, i)
            : kind == OP_POOL ? add_pool(plan, i)
                              : add_head(plan, i));
    }
    TRY(arena_place(&plan->arena));
out:
    return status;
}

i3d_status plan_lay_out_scratch(struct plan *plan)
{
    size_t load = 0;
    i3d_status status;
    for (int i = 0; i < plan->decided.graph.op_count; i++)
        if (plan->steps[i].op->kind == OP_CONV) {
            TRY(add_scratch(plan, i));
            load = larger(load, convolution_load_bytes(&plan->steps[i].convolution));
        }
    TRY(arena_add(&plan->arena, load, -1, -1, &plan->load_scratch));
    TRY(arena_place(&plan->arena));
out:
    return status;
}
