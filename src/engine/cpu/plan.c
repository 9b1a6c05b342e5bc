#include "engine/cpu/plan.h"

#include "base/failure.h"
#include "base/memory.h"

#include <string.h>

size_t plan_elements(const struct plan *plan, int value)
{
    const struct value *whole = &plan->decided.graph.values[value];
    size_t map = value_floats(whole) / (size_t)whole->channels;
    return is_row_major(plan, value) ? value_floats(whole)
                                     : map * (size_t)whole_blocks(plan, whole->channels);
}

static struct slice slice_of(const struct plan *plan, int value, int channel, int channels,
                             void *data)
{
    const struct value *whole = &plan->decided.graph.values[value];
    size_t map = value_floats(whole) / (size_t)whole->channels;
    size_t begin = (size_t)channel * map * plan->decided.kernels->element;
    return (struct slice){ .data = data ? (char *)data + begin : NULL,
                           .sample = plan_elements(plan, value),
                           .map = map,
                           .channels = channels };
}

struct slice plan_value(const struct plan *plan, int value, int channel, int channels)
{
    return slice_of(plan, value, channel, channels, arena_at(&plan->arena, plan->values[value]));
}

struct slice plan_gradient(const struct plan *plan, int value, int channel, int channels)
{
    return slice_of(plan, value, channel, channels, arena_at(&plan->arena, plan->gradients[value]));
}

const void *plan_source(const struct plan *plan, int value)
{
    const void *data = arena_at(&plan->arena, plan->values[value]);
    return data ? data : plan->input;
}

struct slice plan_raw(const struct plan *plan, const struct step *step)
{
    size_t map = op_map(step->op);
    return (struct slice){ .data = arena_at(&plan->arena, step->raw),
                           .sample = map * (size_t)whole_blocks(plan, step->op->channels),
                           .map = map,
                           .channels = step->op->channels };
}

struct head plan_head(const struct plan *plan, const struct op *op)
{
    bool training = plan->decided.training;
    return (struct head){
        .channels = op->channels,
        .t = op->size_out[0],
        .classes = plan->decided.graph.classes,
        .weight = training ? state_param(&plan->state, op, I3D_PARAM_WEIGHT) : plan->logits_weight,
        .bias = training ? state_param(&plan->state, op, I3D_PARAM_BIAS) : plan->logits_bias
    };
}

static i3d_status create_norm(const struct plan *plan, struct step *step)
{
    size_t channels = (size_t)whole_blocks(plan, step->op->channels);
    float *floats;
    i3d_status status = memory_get(6 * channels, sizeof *floats, &floats);
    if (status != I3D_OK)
        return status;
    step->norm = (struct norm_factors){ .mean = floats,
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
    const struct decision *decided = &plan->decided;
    bool fused = step->decided->fused;
    struct convolution_shape shape = { .op = op,
                                       .samples = fused ? 1 : decided->samples,
                                       .isa = decided->isa,
                                       .row_major = is_row_major(plan, op->in),
                                       .bf16 = decided->kernels->element == 2,
                                       .fused = fused };
    bool weight = state_is_trained(&plan->state, op, I3D_PARAM_WEIGHT);
    i3d_status status;
    TRY(convolution_create(&shape,
                           (const bool[PASS_COUNT]){ true, decided->wanted[op->in], weight },
                           &step->convolution));
    if (!fused)
        TRY(create_norm(plan, step));
out:
    return status;
}

/* Of the head: floats of the batch's features, and of its parameters. */
static size_t feature_floats(const struct plan *plan)
{
    const struct op *last = plan_last(plan);
    return last->kind == OP_HEAD
               ? memory_sum(0, (size_t)plan->decided.batch, (size_t)last->channels * op_map(last))
               : 0;
}

static size_t logits_floats(const struct plan *plan)
{
    const struct op *last = plan_last(plan);
    size_t classes = (size_t)plan->decided.graph.classes;
    return last->kind == OP_HEAD ? classes * ((size_t)last->channels + 1) : 0;
}

static i3d_status take_head(struct plan *plan)
{
    size_t floats = feature_floats(plan);
    i3d_status status;
    TRY(memory_get(floats, sizeof(float), &plan->features));
    if (plan->decided.training) {
        TRY(memory_get(floats, sizeof(float), &plan->features_gradient));
        TRY(memory_get(floats, sizeof(float), &plan->keep));
    } else {
        TRY(memory_get(logits_floats(plan), sizeof(float), &plan->logits_weight));
        plan->logits_bias =
            plan->logits_weight + logits_floats(plan) - (size_t)plan->decided.graph.classes;
    }
out:
    return status;
}

static void begin_steps(struct plan *plan)
{
    for (int v = 0; v < GRAPH_VALUES_MAX; v++)
        plan->values[v] = plan->gradients[v] = -1;
    for (int i = 0; i < plan->decided.graph.op_count; i++)
        plan->steps[i] = (struct step){ .op = &plan->decided.graph.ops[i],
                                        .decided = &plan->decided.ops[i],
                                        .raw = -1,
                                        .winner = -1,
                                        .forward_scratch = -1,
                                        .backward_scratch = -1,
                                        .addend = -1 };
}

static i3d_status create_convolutions(struct plan *plan)
{
    i3d_status status = I3D_OK;
    for (int i = 0; i < plan->decided.graph.op_count; i++)
        if (plan->steps[i].op->kind == OP_CONV)
            TRY(create_convolution(plan, &plan->steps[i]));
out:
    return status;
}

size_t plan_bytes(const struct plan *plan)
{
    size_t arrays = plan->decided.training ? 3 : 1;
    size_t bytes = sizeof *plan + state_bytes(&plan->state, plan->decided.training);
    bytes = memory_sum(bytes, feature_floats(plan), arrays * sizeof(float));
    bytes = memory_sum(bytes, plan->decided.training ? 0 : logits_floats(plan), sizeof(float));
    for (int i = 0; i < plan->decided.graph.op_count; i++)
        if (plan->steps[i].op->kind == OP_CONV)
            bytes += convolution_held_bytes(&plan->steps[i].convolution);
    return memory_sum(bytes, plan->arena.bytes, 1);
}

static i3d_status take_memory(struct plan *plan)
{
    i3d_status status;
    TRY(state_take(&plan->state, plan->decided.training));
    for (int i = 0; i < plan->decided.graph.op_count; i++)
        if (plan->steps[i].op->kind == OP_CONV)
            TRY(convolution_take(&plan->steps[i].convolution));
    if (plan_last(plan)->kind == OP_HEAD)
        TRY(take_head(plan));
    TRY(arena_take(&plan->arena));
out:
    return status;
}

/* What is too large for the machine is seen before oneDNN, which has limits of its own, is asked
 * for it, and then as a whole before any of it is taken. */
i3d_status plan_create(const struct plan_request *request, struct plan **out)
{
    struct plan *plan = NULL;
    i3d_status status;
    *out = NULL;
    TRY(memory_get(1, sizeof *plan, &plan));
    TRY(plan_decide(request, plan));
    begin_steps(plan);
    TRY(plan_lay_out(plan));
    TRY(memory_check(plan_bytes(plan)));
    TRY(create_convolutions(plan));
    TRY(plan_lay_out_scratch(plan));
    TRY(memory_check(plan_bytes(plan)));
    TRY(take_memory(plan));
    *out = plan;
    plan = NULL;
out:
    plan_free(plan);
    return status;
}

/* `params` is laid out as all parameters; only those of the step are read. */
static i3d_status load_step(struct plan *plan, struct step *step, const float *params)
{
    const struct graph *graph = &plan->decided.graph;
    const float *at[I3D_PARAM_ROLES];
    for (int role = 0; role < I3D_PARAM_ROLES; role++) {
        const i3d_param *param = graph_param(graph, step->op, (i3d_param_role)role);
        at[role] = param ? params + param->offset : NULL;
    }
    struct convolution_params wanted = { .weight = at[I3D_PARAM_WEIGHT],
                                         .gamma = at[I3D_PARAM_GAMMA],
                                         .beta = at[I3D_PARAM_BETA],
                                         .mean = at[I3D_PARAM_MEAN],
                                         .variance = at[I3D_PARAM_VARIANCE],
                                         .epsilon = graph->bn_epsilon };
    return convolution_load(&step->convolution, &wanted,
                            arena_at(&plan->arena, plan->load_scratch));
}

/* A convolution has its norm in its weights if it is fused; otherwise the norm is read where it is.
 */
static bool needs_load(const struct plan *plan, const struct step *step)
{
    int weight = step->op->params[I3D_PARAM_WEIGHT];
    if (step->op->kind != OP_CONV)
        return false;
    return step->decided->fused ? graph_has_any(step->op, plan->state.changed)
                                : plan->state.changed[weight];
}

i3d_status plan_load_changed(struct plan *plan)
{
    i3d_status status = I3D_OK;
    for (int i = 0; i < plan->decided.graph.op_count; i++)
        if (needs_load(plan, &plan->steps[i]))
            TRY(load_step(plan, &plan->steps[i], plan->state.params));
    memset(plan->state.changed, false, sizeof plan->state.changed);
out:
    return status;
}

/* How many of the operation's floats lie in the range, of how many. */
static size_t count_within(const struct graph *graph, const struct op *op, struct range range,
                           size_t *all)
{
    size_t within = 0;
    *all = 0;
    for (int role = 0; role < I3D_PARAM_ROLES; role++) {
        const i3d_param *param = graph_param(graph, op, (i3d_param_role)role);
        if (!param)
            continue;
        bool inside = param->offset >= range.begin &&
                      param->offset + param->count <= range.begin + range.count;
        *all += param->count;
        within += inside ? param->count : 0;
    }
    return within;
}

static void load_head(struct plan *plan, const struct op *op, const float *params)
{
    const i3d_param *weight = graph_param(&plan->decided.graph, op, I3D_PARAM_WEIGHT);
    const i3d_param *bias = graph_param(&plan->decided.graph, op, I3D_PARAM_BIAS);
    memcpy(plan->logits_weight, params + weight->offset, weight->count * sizeof *params);
    memcpy(plan->logits_bias, params + bias->offset, bias->count * sizeof *params);
}

/* In inference parameters go where they are needed, and no copy of all is kept. */
static i3d_status upload_whole_ops(struct plan *plan, struct range range, const float *from)
{
    const struct graph *graph = &plan->decided.graph;
    i3d_status status = I3D_OK;
    size_t all, taken = 0;
    for (int i = 0; i < graph->op_count; i++)
        if (count_within(graph, &graph->ops[i], range, &all) == all)
            taken += all;
    if (taken != range.count)
        return failure(I3D_EINVAL,
                       "a plan for inference takes parameters of whole operations: "
                       "floats %zu to %zu are not that",
                       range.begin, range.begin + range.count);
    for (int i = 0; i < graph->op_count; i++) {
        const struct op *op = &graph->ops[i];
        if (count_within(graph, op, range, &all) < all || !all)
            continue;
        if (op->kind == OP_HEAD)
            load_head(plan, op, from - range.begin);
        else
            TRY(load_step(plan, &plan->steps[i], from - range.begin));
    }
out:
    return status;
}

i3d_status plan_upload(struct plan *plan, enum plan_array array, struct range range,
                       const float *from)
{
    if (!plan->decided.training && array == PLAN_PARAMS)
        return upload_whole_ops(plan, range, from);
    return state_upload(&plan->state, array, range, from);
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
    state_clear(&plan->state);
    memory_free(plan->features);
    memory_free(plan->features_gradient);
    memory_free(plan->keep);
    memory_free(plan->logits_weight);
    memory_free(plan);
}
