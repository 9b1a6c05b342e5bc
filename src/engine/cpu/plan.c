#include "engine/cpu/plan.h"

#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"
#include "base/thread.h"
#include "model/model.h"

#include <string.h>

size_t plan_param(const struct plan *plan, const struct op *op, int which)
{
    return i3d_model_param(plan->model, (size_t)(op->param + which))->offset;
}

bool plan_is_trained(const struct plan *plan, const struct op *op, int which)
{
    return plan->training && plan->trained[op->param + which];
}

size_t plan_elements(const struct plan *plan, int value)
{
    const struct value *whole = &plan->graph.values[value];
    size_t map = value_floats(whole) / (size_t)whole->channels;
    return is_row_major(plan, value) ? value_floats(whole)
                                     : map * (size_t)whole_blocks(plan, whole->channels);
}

static struct slice slice_of(const struct plan *plan, int value, int channel, int channels,
                             void *data)
{
    const struct value *whole = &plan->graph.values[value];
    size_t map = value_floats(whole) / (size_t)whole->channels;
    return (struct slice){ .data = (char *)data + (size_t)channel * map * plan->kernels->element,
                           .sample = plan_elements(plan, value),
                           .map = map,
                           .channels = channels };
}

struct slice plan_value(const struct plan *plan, int value, int channel, int channels)
{
    void *data = arena_at(&plan->arena, plan->values[value]);
    return slice_of(plan, value, channel, channels, data ? data : (void *)plan->input);
}

struct slice plan_gradient(const struct plan *plan, int value, int channel, int channels)
{
    return slice_of(plan, value, channel, channels, arena_at(&plan->arena, plan->gradients[value]));
}

struct slice plan_raw(const struct plan *plan, const struct step *step)
{
    size_t map = map_of(step->op->size_out);
    return (struct slice){ .data = arena_at(&plan->arena, step->raw),
                           .sample = map * (size_t)whole_blocks(plan, step->op->channels),
                           .map = map,
                           .channels = step->op->channels };
}

struct head plan_head(const struct plan *plan, const struct op *op)
{
    return (struct head){ .channels = op->channels,
                          .t = op->size_out[0],
                          .classes = plan->graph.classes,
                          .weight = plan->params + plan_param(plan, op, 0),
                          .bias = plan->params + plan_param(plan, op, 1) };
}

static i3d_status choose_kernels(const struct plan_request *request, const struct kernels **out)
{
    int lanes = device_lanes();
    *out = lanes == 16 ? &kernels_f32_avx512 : &kernels_f32_avx2;
    if (request->precision == I3D_PRECISION_F32)
        return I3D_OK;
    if (request->precision != I3D_PRECISION_BF16)
        return failure(I3D_EUNSUPPORTED,
                       "the oneDNN engine has no float64: choose fp32, bf16 or the reference "
                       "engine");
    if (lanes != 16)
        return failure(I3D_EUNSUPPORTED,
                       "bfloat16 needs a CPU with AVX-512, which this one lacks: choose fp32");
    if (!device_has_bf16())
        talk("this CPU has no bfloat16 instructions: fp32 is likely faster");
    *out = &kernels_bf16_avx512;
    return I3D_OK;
}

/* Branches of a concatenation begin at whole blocks; a clip of others is read by convolutions. */
static i3d_status check_channels(const struct plan *plan)
{
    for (int i = 0; i < plan->graph.op_count; i++) {
        const struct op *op = &plan->graph.ops[i];
        bool reads = op->kind == OP_CONV || !is_row_major(plan, op->in);
        if (!reads || op->out_channel % plan->kernels->lanes)
            return failure(I3D_EUNSUPPORTED,
                           "the oneDNN engine wants channels in multiples of %d at '%s': choose "
                           "the reference engine",
                           plan->kernels->lanes, op->name);
    }
    return I3D_OK;
}

static i3d_status choose_trained(struct plan *plan, const struct plan_request *request)
{
    size_t params = i3d_model_param_count(plan->model);
    if (!plan->training)
        return I3D_OK;
    i3d_status status = memory_get(params, sizeof *plan->trained, &plan->trained);
    for (size_t p = 0; status == I3D_OK && p < params; p++)
        plan->trained[p] = !request->trained || request->trained[p];
    return status;
}

static bool is_any_trained(const struct plan *plan, const struct op *op)
{
    int count = op->kind == OP_CONV ? 3 : op->kind == OP_HEAD ? 2 : 0;
    for (int which = 0; which < count; which++)
        if (plan_is_trained(plan, op, which))
            return true;
    return false;
}

/* Which steps backward() passes, and which of two gradients for a value comes first. */
static void choose_steps(struct plan *plan, const struct plan_request *request)
{
    bool written[GRAPH_VALUES_MAX] = { false };
    for (int i = 0; i < plan->graph.op_count; i++) {
        const struct op *op = &plan->graph.ops[i];
        bool frozen = !plan->training || (request->bn_frozen && request->bn_frozen[i]);
        bool backward = is_any_trained(plan, op) || plan->wanted[op->in];
        plan->steps[i] = (struct step){ .op = op,
                                        .frozen = frozen,
                                        .backward = backward,
                                        .fused = op->kind == OP_CONV && frozen && !backward,
                                        .raw = -1,
                                        .winner = -1,
                                        .forward_scratch = -1,
                                        .backward_scratch = -1,
                                        .addend = -1 };
        plan->wanted[op->out] |= backward;
    }
    for (int i = plan->graph.op_count - 1; i >= 0; i--) {
        struct step *step = &plan->steps[i];
        if (plan->wanted[step->op->in]) {
            step->adds = written[step->op->in];
            written[step->op->in] = true;
        }
    }
    for (int v = 0; v < GRAPH_VALUES_MAX; v++)
        plan->values[v] = plan->gradients[v] = -1;
}

static i3d_status create_norm(const struct plan *plan, struct step *step)
{
    size_t channels = (size_t)whole_blocks(plan, step->op->channels);
    float *floats;
    i3d_status status = memory_get(6 * channels, sizeof *floats, &floats);
    if (status != I3D_OK)
        return status;
    step->norm = (struct norm){ .mean = floats,
                                .variance = floats + channels,
                                .scale = floats + 2 * channels,
                                .shift = floats + 3 * channels };
    step->sums =
        (struct norm_sums){ .gradient = floats + 4 * channels, .product = floats + 5 * channels };
    return I3D_OK;
}

static i3d_status create_convolution(struct plan *plan, struct step *step)
{
    const struct op *op = step->op;
    struct convolution_shape shape = { .op = op,
                                       .samples = step->fused ? 1 : plan->samples,
                                       .row_major = is_row_major(plan, op->in),
                                       .bf16 = plan->kernels == &kernels_bf16_avx512,
                                       .fused = step->fused };
    i3d_status status;
    TRY(convolution_create(plan->device, &shape, plan->wanted[op->in], plan_is_trained(plan, op, 0),
                           &step->convolution));
    if (!step->fused)
        TRY(create_norm(plan, step));
out:
    return status;
}

static i3d_status create_steps(struct plan *plan)
{
    i3d_status status = I3D_OK;
    for (int i = 0; i < plan->graph.op_count; i++) {
        struct step *step = &plan->steps[i];
        if (step->op->kind == OP_CONV)
            TRY(create_convolution(plan, step));
        if (step->op->kind != OP_HEAD)
            continue;
        size_t floats =
            (size_t)plan->batch * (size_t)step->op->channels * map_of(step->op->size_out);
        TRY(memory_get(floats, sizeof *plan->features, &plan->features));
        if (!plan->training)
            continue;
        TRY(memory_get(floats, sizeof *plan->features_gradient, &plan->features_gradient));
        TRY(memory_get(floats, sizeof *plan->keep, &plan->keep));
    }
out:
    return status;
}

i3d_status plan_create(const struct plan_request *request, struct plan **out)
{
    struct plan *plan = NULL;
    i3d_status status;
    *out = NULL;
    TRY(memory_get(1, sizeof *plan, &plan));
    plan->model = request->model;
    plan->params = request->model->data;
    plan->graph = request->graph;
    plan->batch = request->batch;
    plan->samples = request->training ? request->batch : 1;
    plan->training = request->training;
    plan->threads = request->threads > 0 ? request->threads : thread_count();
    TRY(choose_kernels(request, &plan->kernels));
    TRY(check_channels(plan));
    TRY(choose_trained(plan, request));
    choose_steps(plan, request);
    TRY(device_open(&plan->device));
    TRY(create_steps(plan));
    TRY(plan_lay_out(plan));
    *out = plan;
    plan = NULL;
out:
    plan_free(plan);
    return status;
}

i3d_status plan_load(struct plan *plan)
{
    void *scratch = arena_at(&plan->arena, plan->load_scratch);
    i3d_status status = I3D_OK;
    for (int i = 0; i < plan->graph.op_count; i++) {
        const struct op *op = plan->steps[i].op;
        if (op->kind != OP_CONV)
            continue;
        struct convolution_params params = { .weight = plan->params + plan_param(plan, op, 0),
                                             .gamma = plan->params + plan_param(plan, op, 1),
                                             .beta = plan->params + plan_param(plan, op, 2),
                                             .mean = plan->params + plan_param(plan, op, 3),
                                             .variance = plan->params + plan_param(plan, op, 4),
                                             .epsilon = plan->graph.bn_epsilon };
        TRY(convolution_load(&plan->steps[i].convolution, &params, scratch));
    }
out:
    return status;
}

void plan_free(struct plan *plan)
{
    if (!plan)
        return;
    for (int i = 0; i < GRAPH_OPS_MAX; i++) {
        convolution_clear(&plan->steps[i].convolution);
        memory_free(plan->steps[i].norm.mean);
    }
    arena_clear(&plan->arena);
    device_close(plan->device);
    memory_free(plan->features);
    memory_free(plan->features_gradient);
    memory_free(plan->keep);
    memory_free(plan->trained);
    memory_free(plan);
}
