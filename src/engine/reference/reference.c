/* The reference engine: the network's definition in plain C, forward and backward, layout NCTHW,
 * every value kept. Other engines are measured against it. */
#include "engine/engine.h"

#include "base/failure.h"
#include "base/memory.h"
#include "base/thread.h"
#include "engine/head.h"
#include "engine/reference/conv.h"
#include "engine/reference/norm.h"
#include "engine/reference/pool.h"
#include "engine/reference/sum.h"
#include "engine/state.h"

#include <string.h>

/* What was decided when it was planned. */
struct decision {
    struct graph graph;
    const struct conv_functions *conv;
    int batch;
    bool training;
    bool wanted[GRAPH_VALUES_MAX]; /* its gradient is */
};

/* What runs. */
struct plan {
    struct decision decided;
    struct state state;
    struct team *team;
    bool taking; /* what was counted in `bytes` */
    size_t bytes;
    void **scratch; /* [workers] */

    float *values[GRAPH_VALUES_MAX];                       /* [batch, C, t, h, w] */
    double *mean[GRAPH_OPS_MAX], *variance[GRAPH_OPS_MAX]; /* [C] of convolutions */
    double *sum, *product; /* [C] of the convolution at work backward */

    /* Training only. */
    float *gradients[GRAPH_VALUES_MAX]; /* of values */
    float *raw[GRAPH_OPS_MAX];          /* convolutions before their norm, [batch, C, t, h, w] */
    float *raw_gradient, *turned;       /* of the operation at work */
    float *keep;
    int count;       /* clips of the last forward() */
    bool keep_given; /* in the last forward() */
};

static i3d_status available(void)
{
    return I3D_OK;
}

/* All of it is first only counted, so that what is too much is seen before any is taken. */
static i3d_status get(struct plan *plan, size_t count, size_t size, void *out)
{
    if (plan->taking)
        return memory_get(count, size, out);
    plan->bytes = memory_sum(plan->bytes, count, size);
    return I3D_OK;
}

static bool op_needs_backward(const struct plan *plan, const struct op *op)
{
    const bool *wanted = plan->decided.wanted;
    return state_trains(&plan->state, op) || wanted[op->in] || (op->with >= 0 && wanted[op->with]);
}

static i3d_status get_values(struct plan *plan)
{
    const struct graph *graph = &plan->decided.graph;
    size_t batch = (size_t)plan->decided.batch, scratch = 0;
    size_t workers = (size_t)team_workers(plan->team);
    i3d_status status;
    for (int v = 0; v < graph->value_count; v++)
        TRY(get(plan, batch * value_floats(&graph->values[v]), sizeof(float), &plan->values[v]));
    for (int i = 0; i < graph->op_count; i++) {
        const struct op *op = &graph->ops[i];
        if (op->kind != OP_CONV)
            continue;
        TRY(get(plan, (size_t)op->channels, sizeof(double), &plan->mean[i]));
        TRY(get(plan, (size_t)op->channels, sizeof(double), &plan->variance[i]));
        if (conv_scratch_bytes(op) > scratch)
            scratch = conv_scratch_bytes(op);
    }
    for (size_t i = 0; i < workers; i++)
        TRY(get(plan, scratch, 1, &plan->scratch[i]));
out:
    return status;
}

static i3d_status get_gradients(struct plan *plan)
{
    const struct graph *graph = &plan->decided.graph;
    size_t batch = (size_t)plan->decided.batch, raw_floats = 0, weight_floats = 0, channels = 0;
    i3d_status status = I3D_OK;
    for (int i = 0; i < graph->op_count; i++) {
        const struct op *op = &graph->ops[i];
        size_t floats = batch * (size_t)op->channels * op_map(op);
        if (op_needs_backward(plan, op) && !plan->decided.wanted[op->out]) {
            plan->decided.wanted[op->out] = true;
            TRY(get(plan, batch * value_floats(&graph->values[op->out]), sizeof(float),
                    &plan->gradients[op->out]));
        }
        if (op->kind == OP_HEAD)
            TRY(get(plan, floats, sizeof(float), &plan->keep));
        if (op->kind != OP_CONV)
            continue;
        size_t weights = graph_param(graph, op, I3D_PARAM_WEIGHT)->count;
        TRY(get(plan, floats, sizeof(float), &plan->raw[i]));
        raw_floats = floats > raw_floats ? floats : raw_floats;
        weight_floats = weights > weight_floats ? weights : weight_floats;
        channels = (size_t)op->channels > channels ? (size_t)op->channels : channels;
    }
    TRY(get(plan, raw_floats, sizeof(float), &plan->raw_gradient));
    TRY(get(plan, weight_floats, sizeof(float), &plan->turned));
    TRY(get(plan, channels, sizeof *plan->sum, &plan->sum));
    TRY(get(plan, channels, sizeof *plan->product, &plan->product));
out:
    return status;
}

static i3d_status get_all(struct plan *plan)
{
    i3d_status status;
    TRY(get_values(plan));
    memset(plan->decided.wanted, false, sizeof plan->decided.wanted);
    if (plan->decided.training)
        TRY(get_gradients(plan));
out:
    return status;
}

static void release(struct plan *plan)
{
    if (!plan)
        return;
    for (int v = 0; v < GRAPH_VALUES_MAX; v++) {
        memory_free(plan->values[v]);
        memory_free(plan->gradients[v]);
    }
    for (int i = 0; i < GRAPH_OPS_MAX; i++) {
        memory_free(plan->mean[i]);
        memory_free(plan->variance[i]);
        memory_free(plan->raw[i]);
    }
    for (int i = 0; plan->scratch && i < team_workers(plan->team); i++)
        memory_free(plan->scratch[i]);
    memory_free(plan->scratch);
    memory_free(plan->raw_gradient);
    memory_free(plan->turned);
    memory_free(plan->sum);
    memory_free(plan->product);
    memory_free(plan->keep);
    state_clear(&plan->state);
    team_free(plan->team);
    memory_free(plan);
}

static i3d_status make_plan(const struct plan_request *request, struct plan **out)
{
    struct plan *plan = NULL;
    i3d_status status;
    *out = NULL;
    if (request->precision != I3D_PRECISION_F32 && request->precision != I3D_PRECISION_F32_F64)
        return failure(I3D_EUNSUPPORTED,
                       "the reference engine has no bf16, fp16 or tf32: choose fp32 or another "
                       "engine");
    TRY(memory_get(1, sizeof *plan, &plan));
    plan->decided = (struct decision){
        .graph = *request->graph,
        .conv = request->precision == I3D_PRECISION_F32 ? &conv_f32 : &conv_f64,
        .batch = request->batch,
        .training = request->purpose == PLAN_TRAINING,
    };
    TRY(state_describe(request, &plan->decided.graph, &plan->state));
    TRY(team_create(request->threads, &plan->team));
    TRY(memory_get((size_t)team_workers(plan->team), sizeof *plan->scratch, &plan->scratch));
    TRY(get_all(plan));
    TRY(memory_check(memory_sum(plan->bytes, state_bytes(&plan->state, true), 1)));
    plan->taking = true;
    TRY(state_take(&plan->state, true));
    TRY(get_all(plan));
    *out = plan;
    plan = NULL;
out:
    release(plan);
    return status;
}

static i3d_status upload(struct plan *plan, enum plan_array array, struct range range,
                         const float *from)
{
    return state_upload(&plan->state, array, range, from);
}

static i3d_status download(struct plan *plan, enum plan_array array, struct range range, float *to)
{
    return state_download(&plan->state, array, range, to);
}

static struct array find_array(struct plan *plan, enum plan_array array)
{
    return state_array(&plan->state, array);
}

/* Channels of `data`, which is laid out as value `v`. */
static struct maps value_maps(const struct plan *plan, int v, float *data, int channel)
{
    const struct value *value = &plan->decided.graph.values[v];
    struct maps maps = { .data = data, .sample = value_floats(value) };
    maps.map = maps.sample / (size_t)value->channels;
    maps.data += (size_t)channel * maps.map;
    return maps;
}

static struct maps raw_maps(const struct op *op, float *data)
{
    return (struct maps){ .data = data,
                          .sample = (size_t)op->channels * op_map(op),
                          .map = op_map(op) };
}

static struct conv describe_conv(const struct plan *plan, const struct op *op, int count)
{
    return (struct conv){ .op = op, .count = count, .team = plan->team, .scratch = plan->scratch };
}

static struct norm describe_norm(const struct plan *plan, int i, int count)
{
    const struct op *op = &plan->decided.graph.ops[i];
    const struct state *state = &plan->state;
    struct norm norm = { .count = count,
                         .channels = op->channels,
                         .team = plan->team,
                         .epsilon = plan->decided.graph.bn_epsilon,
                         .relu = op->relu,
                         .frozen = state->frozen[i],
                         .mean = plan->mean[i],
                         .variance = plan->variance[i],
                         .sum = plan->sum,
                         .product = plan->product,
                         .state = state };
    if (!op->norm) {
        norm.frozen = true;
        norm.beta = state_param(state, op, I3D_PARAM_BIAS);
        return norm;
    }
    norm.gamma = state_param(state, op, I3D_PARAM_GAMMA);
    norm.beta = state_param(state, op, I3D_PARAM_BETA);
    norm.running_mean = state_param(state, op, I3D_PARAM_MEAN);
    norm.running_variance = state_param(state, op, I3D_PARAM_VARIANCE);
    return norm;
}

static struct head describe_head(const struct plan *plan, const struct op *op)
{
    return (struct head){ .channels = op->channels,
                          .t = op->size_out[0],
                          .classes = plan->decided.graph.classes,
                          .weight = state_param(&plan->state, op, I3D_PARAM_WEIGHT),
                          .bias = state_param(&plan->state, op, I3D_PARAM_BIAS) };
}

static struct pool describe_pool(const struct plan *plan, const struct op *op, int count)
{
    return (struct pool){ .op = op,
                          .count = count,
                          .team = plan->team,
                          .mean = op->kind == OP_HEAD && plan->decided.graph.head == I3D_HEAD_AVG };
}

static i3d_status conv_op_forward(struct plan *plan, int i)
{
    const struct op *op = &plan->decided.graph.ops[i];
    struct conv conv = describe_conv(plan, op, plan->count);
    struct norm norm = describe_norm(plan, i, plan->count);
    struct maps in = value_maps(plan, op->in, plan->values[op->in], 0);
    struct maps out = value_maps(plan, op->out, plan->values[op->out], op->out_channel);
    struct maps raw = plan->decided.training ? raw_maps(op, plan->raw[i]) : out;
    double elements;
    i3d_status status;
    TRY(plan->decided.conv->forward(&conv, in, state_param(&plan->state, op, I3D_PARAM_WEIGHT),
                                    raw));
    TRY(norm_forward(&norm, raw, out, &elements));
    for (int c = 0; !norm.frozen && c < op->channels; c++)
        state_tell_statistics(&plan->state, op, c, elements, plan->mean[i][c],
                              plan->variance[i][c]);
out:
    return status;
}

static i3d_status op_forward(struct plan *plan, int i)
{
    const struct op *op = &plan->decided.graph.ops[i];
    if (op->kind == OP_CONV)
        return conv_op_forward(plan, i);
    if (op->kind == OP_ADD) {
        size_t floats = value_floats(&plan->decided.graph.values[op->out]);
        sum_forward(plan->values[op->in], plan->values[op->with], op->relu,
                    (size_t)plan->count * floats, plan->values[op->out]);
        return I3D_OK;
    }
    struct pool pool = describe_pool(plan, op, plan->count);
    return pool_forward(&pool, value_maps(plan, op->in, plan->values[op->in], 0),
                        value_maps(plan, op->out, plan->values[op->out], op->out_channel));
}

static i3d_status forward(struct plan *plan, int count, const float *input, const float *keep,
                          float *logits)
{
    const struct graph *graph = &plan->decided.graph;
    size_t clips = (size_t)count;
    i3d_status status = I3D_OK;
    memcpy(plan->values[0], input, clips * value_floats(&graph->values[0]) * sizeof *input);
    plan->count = count;
    plan->keep_given = keep != NULL;
    for (int i = 0; i < graph->op_count; i++)
        TRY(op_forward(plan, i));
    const struct op *last = &graph->ops[graph->op_count - 1];
    size_t floats = clips * value_floats(&graph->values[last->out]);
    if (last->kind != OP_HEAD) {
        memcpy(logits, plan->values[last->out], floats * sizeof *logits);
        goto out;
    }
    struct head head = describe_head(plan, last);
    head_forward(&head, count, plan->values[last->out], keep, logits);
    if (plan->decided.training && keep)
        memcpy(plan->keep, keep, floats * sizeof *keep);
out:
    return status;
}

/* [out, in, taps] -> [in, out, taps]. */
static void turn_weight(const i3d_param *param, const float *weight, float *turned)
{
    size_t outs = (size_t)param->shape[0], ins = (size_t)param->shape[1];
    size_t taps = param->count / (outs * ins);
    for (size_t o = 0; o < outs; o++)
        for (size_t i = 0; i < ins; i++)
            memcpy(turned + (i * outs + o) * taps, weight + (o * ins + i) * taps,
                   taps * sizeof *turned);
}

static i3d_status conv_op_backward(struct plan *plan, int i)
{
    const struct op *op = &plan->decided.graph.ops[i];
    const struct state *state = &plan->state;
    const struct conv_functions *functions = plan->decided.conv;
    struct conv conv = describe_conv(plan, op, plan->count);
    struct norm norm = describe_norm(plan, i, plan->count);
    struct maps in = value_maps(plan, op->in, plan->values[op->in], 0);
    struct maps out = value_maps(plan, op->out, plan->values[op->out], op->out_channel);
    struct maps out_gradient = value_maps(plan, op->out, plan->gradients[op->out], op->out_channel);
    struct maps raw_gradient = raw_maps(op, plan->raw_gradient);
    float *weight_gradient = state_gradient(state, op, I3D_PARAM_WEIGHT);
    i3d_status status;
    TRY(norm_backward(&norm, raw_maps(op, plan->raw[i]), out, out_gradient, raw_gradient,
                      state_gradient(state, op, I3D_PARAM_GAMMA),
                      state_gradient(state, op, op->norm ? I3D_PARAM_BETA : I3D_PARAM_BIAS)));
    if (weight_gradient)
        TRY(functions->backward_weight(&conv, in, raw_gradient, weight_gradient));
    if (plan->decided.wanted[op->in]) {
        turn_weight(graph_param(&plan->decided.graph, op, I3D_PARAM_WEIGHT),
                    state_param(state, op, I3D_PARAM_WEIGHT), plan->turned);
        TRY(functions->backward_data(&conv, raw_gradient, plan->turned,
                                     value_maps(plan, op->in, plan->gradients[op->in], 0)));
    }
out:
    return status;
}

/* A pool's, or the head's pool's. */
static i3d_status pool_op_backward(struct plan *plan, const struct op *op)
{
    struct pool pool = describe_pool(plan, op, plan->count);
    if (!plan->decided.wanted[op->in])
        return I3D_OK;
    return pool_backward(&pool, value_maps(plan, op->in, plan->values[op->in], 0),
                         value_maps(plan, op->out, plan->gradients[op->out], op->out_channel),
                         value_maps(plan, op->in, plan->gradients[op->in], 0));
}

static i3d_status op_backward(struct plan *plan, int i)
{
    const struct op *op = &plan->decided.graph.ops[i];
    if (op->kind == OP_CONV)
        return conv_op_backward(plan, i);
    if (op->kind != OP_ADD)
        return pool_op_backward(plan, op);
    size_t floats = value_floats(&plan->decided.graph.values[op->out]);
    sum_backward(plan->values[op->out], plan->gradients[op->out], op->relu,
                 (size_t)plan->count * floats, plan->gradients[op->in], plan->gradients[op->with]);
    return I3D_OK;
}

/* From the logits' gradient to that of the last value. */
static void begin_backward(struct plan *plan, const float *logits_gradient)
{
    const struct op *last = &plan->decided.graph.ops[plan->decided.graph.op_count - 1];
    float *value_gradient = plan->gradients[last->out];
    if (last->kind == OP_HEAD) {
        struct head head = describe_head(plan, last);
        head_backward(&head, plan->count, plan->values[last->out],
                      plan->keep_given ? plan->keep : NULL, logits_gradient,
                      state_gradient(&plan->state, last, I3D_PARAM_WEIGHT),
                      state_gradient(&plan->state, last, I3D_PARAM_BIAS),
                      plan->decided.wanted[last->in] ? value_gradient : NULL);
    } else if (value_gradient) {
        size_t floats = (size_t)plan->count * value_floats(&plan->decided.graph.values[last->out]);
        memcpy(value_gradient, logits_gradient, floats * sizeof *value_gradient);
    }
}

static i3d_status backward(struct plan *plan, const float *logits_gradient,
                           const struct ready *ready)
{
    const struct graph *graph = &plan->decided.graph;
    size_t clips = (size_t)plan->count;
    i3d_status status = I3D_OK;
    for (int v = 0; v < graph->value_count; v++)
        if (plan->decided.wanted[v])
            memset(plan->gradients[v], 0, clips * value_floats(&graph->values[v]) * sizeof(float));
    begin_backward(plan, logits_gradient);
    for (int i = graph->op_count - 1; i >= 0; i--) {
        if (!op_needs_backward(plan, &graph->ops[i]))
            continue;
        TRY(op_backward(plan, i));
        TRY(state_ready(&plan->state, &graph->ops[i], ready));
    }
out:
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

static i3d_status read_value(struct plan *plan, int index, float *out)
{
    const struct graph *graph = &plan->decided.graph;
    if (index < 0 || index >= graph->value_count)
        return failure(I3D_EINVAL, "the network has no value %d: give 0 to %d", index,
                       graph->value_count - 1);
    size_t floats = (size_t)plan->count * value_floats(&graph->values[index]);
    memcpy(out, plan->values[index], floats * sizeof *out);
    return I3D_OK;
}

static size_t memory(const struct plan *plan)
{
    return sizeof *plan + plan->bytes + state_bytes(&plan->state, true);
}

const struct engine engine_reference = {
    .name = "reference",
    .description = "plain C on any processor: the definition that other engines are checked by",
    .available = available,
    .plan = make_plan,
    .upload = upload,
    .download = download,
    .array = find_array,
    .forward = forward,
    .backward = backward,
    .apply = apply,
    .applied = applied,
    .read_value = read_value,
    .memory = memory,
    .free = release,
};
