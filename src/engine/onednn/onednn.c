/* The engine for CPUs: oneDNN's convolutions, and around them a plan and kernels of our own. */
#include "engine/onednn/plan.h"

#include "base/failure.h"
#include "base/thread.h"

#include <omp.h>
#include <string.h>

static i3d_status available(void)
{
    if (device_lanes())
        return I3D_OK;
    return failure(I3D_EUNSUPPORTED,
                   "the oneDNN engine needs a CPU with AVX2: choose the reference engine");
}

/* oneDNN and our own loops share one OpenMP team: the size it had is given back. */
static int begin_team(int threads)
{
    int before = omp_get_max_threads();
    omp_set_num_threads(threads);
    return before;
}

static i3d_status create(const struct plan_request *request, struct plan **out)
{
    int threads = request->threads > 0 ? request->threads : thread_count();
    int before = begin_team(threads);
    i3d_status status = plan_create(request, out);
    omp_set_num_threads(before);
    return status;
}

static i3d_status load(struct plan *plan)
{
    int before = begin_team(plan->threads);
    i3d_status status = plan_load(plan);
    omp_set_num_threads(before);
    return status;
}

static i3d_status forward(struct plan *plan, int count, const float *input, const float *keep,
                          float *logits)
{
    int before = begin_team(plan->threads);
    i3d_status status = plan_forward(plan, count, input, keep, logits);
    omp_set_num_threads(before);
    return status;
}

static i3d_status backward(struct plan *plan, const float *logits_gradient, float *gradients)
{
    int before = begin_team(plan->threads);
    i3d_status status = plan_backward(plan, logits_gradient, gradients);
    omp_set_num_threads(before);
    return status;
}

/* A value is there after forward() if it is needed by backward(). */
static i3d_status read_value(struct plan *plan, int index, float *out)
{
    const struct op *last = &plan->graph.ops[plan->graph.op_count - 1];
    if (last->kind == OP_HEAD && index == last->out) {
        size_t floats = (size_t)plan->count * value_floats(&plan->graph.values[index]);
        memcpy(out, plan->features, floats * sizeof *out);
        return I3D_OK;
    }
    bool known = index > 0 && index < plan->graph.value_count;
    if (!known || plan->arena.spans[plan->values[index]].end < plan->graph.op_count)
        return failure(I3D_EUNSUPPORTED,
                       "this plan of the oneDNN engine does not keep '%s': use the reference "
                       "engine",
                       known ? plan->graph.values[index].name : "the clip");
    plan->kernels->unpack(plan->count,
                          plan_value(plan, index, 0, plan->graph.values[index].channels), out);
    return I3D_OK;
}

static size_t memory(const struct plan *plan)
{
    size_t bytes = sizeof *plan + plan->arena.bytes;
    for (int i = 0; i < plan->graph.op_count; i++)
        if (plan->steps[i].op->kind == OP_CONV)
            bytes += convolution_bytes(&plan->steps[i].convolution);
    return bytes;
}

const struct engine engine_onednn = {
    .name = "onednn",
    .description = "CPUs with AVX2 or AVX-512, by oneDNN; fp32 and bf16",
    .available = available,
    .plan = create,
    .load = load,
    .forward = forward,
    .backward = backward,
    .read_value = read_value,
    .memory = memory,
    .free = plan_free,
};
