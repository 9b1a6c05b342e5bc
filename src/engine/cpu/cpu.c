/* The engine for CPUs: oneDNN's convolutions, and around them a plan and kernels of our own. */
#include "engine/cpu/plan.h"

#include "base/failure.h"
#include "base/thread.h"
#include "engine/cpu/primitive.h"

#include <omp.h>
#include <string.h>

static i3d_status available(void)
{
    return I3D_OK;
}

/* Convolutions and our own loops share one OpenMP team: the size it had is given back. */
static int begin_team(int threads)
{
    int before = omp_get_max_threads();
    omp_set_num_threads(threads);
    return before;
}

/* Its threads begin here, not in the first step. */
static void start_team(void)
{
    int size = 0;
#pragma omp parallel reduction(+ : size)
    size++;
    (void)size;
}

/* Of so many threads those that can be started: OpenMP ends the program where one cannot. */
static i3d_status count_threads(int wanted, int *out)
{
    struct team *team;
    i3d_status status = team_create(wanted, &team);
    if (status != I3D_OK)
        return status;
    *out = team_workers(team);
    team_free(team);
    return I3D_OK;
}

static i3d_status create(const struct plan_request *request, struct plan **out)
{
    struct plan_request possible = *request;
    *out = NULL;
    i3d_status status = count_threads(request->threads, &possible.threads);
    if (status != I3D_OK)
        return status;
    int before = begin_team(possible.threads);
    start_team();
    status = plan_create(&possible, out);
    omp_set_num_threads(before);
    return status;
}

static i3d_status upload(struct plan *plan, enum plan_array array, struct range range,
                         const float *from)
{
    int before = begin_team(plan->decided.threads);
    i3d_status status = plan_upload(plan, array, range, from);
    omp_set_num_threads(before);
    return status;
}

static i3d_status download(struct plan *plan, enum plan_array array, struct range range, float *to)
{
    return state_download(&plan->state, array, range, to);
}

static struct array find_array(struct plan *plan, enum plan_array array)
{
    return state_array(&plan->state, array);
}

static i3d_status forward(struct plan *plan, int count, const float *input, const float *keep,
                          float *logits)
{
    int before = begin_team(plan->decided.threads);
    i3d_status status = plan_forward(plan, count, input, keep, logits);
    omp_set_num_threads(before);
    return status;
}

static const char *name_kernel(const struct step *step)
{
    if (step->op->kind == OP_CONV)
        return step->convolution.passes[PASS_FORWARD].provider->kernel(
            step->convolution.passes[PASS_FORWARD].state);
    return step->op->kind == OP_POOL ? "pool" : "head";
}

static i3d_status profile(struct plan *plan, int count, const float *input, float *logits,
                          struct op_time *times)
{
    for (int i = 0; i < plan->decided.graph.op_count; i++)
        times[i] = (struct op_time){ .kernel = name_kernel(&plan->steps[i]) };
    plan->times = times;
    i3d_status status = forward(plan, count, input, NULL, logits);
    plan->times = NULL;
    return status;
}

static i3d_status backward(struct plan *plan, const float *logits_gradient,
                           const struct ready *ready)
{
    int before = begin_team(plan->decided.threads);
    i3d_status status = plan_backward(plan, logits_gradient, ready);
    omp_set_num_threads(before);
    return status;
}

static i3d_status apply(struct plan *plan, const struct update *update)
{
    state_apply(&plan->state, update);
    return I3D_OK;
}

static i3d_status applied(struct plan *plan, struct applied *out)
{
    *out = plan->state.applied;
    return I3D_OK;
}

/* A value is there after forward() if it is needed by backward(). */
static i3d_status read_value(struct plan *plan, int index, float *out)
{
    const struct op *last = plan_last(plan);
    if (last->kind == OP_HEAD && index == last->out) {
        size_t floats = (size_t)plan->count * value_floats(&plan->decided.graph.values[index]);
        memcpy(out, plan->features, floats * sizeof *out);
        return I3D_OK;
    }
    bool known = index > 0 && index < plan->decided.graph.value_count;
    if (!known || plan->arena.spans[plan->values[index]].end < plan->decided.graph.op_count)
        return failure(I3D_EUNSUPPORTED,
                       "this plan of the cpu engine does not keep '%s': use the reference "
                       "engine",
                       known ? plan->decided.graph.values[index].name : "the clip");
    plan->decided.kernels->unpack(
        plan->count, plan_value(plan, index, 0, plan->decided.graph.values[index].channels), out);
    return I3D_OK;
}

const struct engine engine_cpu = {
    .name = "cpu",
    .alias = "onednn",
    .speed = 10,
    .description = "CPUs, fast with AVX2 or AVX-512, by oneDNN; fp32, with AVX-512 bf16 too",
    .available = available,
    .plan = create,
    .upload = upload,
    .download = download,
    .array = find_array,
    .forward = forward,
    .backward = backward,
    .apply = apply,
    .applied = applied,
    .read_value = read_value,
    .profile = profile,
    .memory = plan_bytes,
    .free = plan_free,
};
