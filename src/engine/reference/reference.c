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

#include <string.h>

struct plan {
    const i3d_model *model;
    const float *params; /* the model's data, read in place */
    struct graph graph;
    const struct conv_functions *conv;
    int batch, threads;
    bool training;
    size_t bytes;
    void **scratch; /* [threads] */

    float *values[GRAPH_VALUES_MAX];                       /* [batch, C, t, h, w] */
    double *mean[GRAPH_OPS_MAX], *variance[GRAPH_OPS_MAX]; /* [C] of convolutions */

    /* Training only. */
    bool *trained; /* one a parameter */
    bool frozen[GRAPH_OPS_MAX];
    bool wanted[GRAPH_VALUES_MAX]; /* its gradient is */
    float *value_grads[GRAPH_VALUES_MAX];
    float *raw[GRAPH_OPS_MAX]; /* convolutions before batch norm, [batch, C, t, h, w] */
    float *raw_grad, *turned;  /* of the operation at work */
    float *keep;
    int count;       /* clips of the last forward() */
    bool keep_given; /* in the last forward() */
};

static i3d_status available(void)
{
    return I3D_OK;
}

static i3d_status get(struct plan *plan, size_t count, size_t size, void *out)
{
    plan->bytes += count * size;
    return memory_get(count, size, out);
}

static size_t op_map(const struct op *op)
{
    return (size_t)op->size_out[0] * (size_t)op->size_out[1] * (size_t)op->size_out[2];
}

static const i3d_param *op_param(const struct plan *plan, const struct op *op, int which)
{
    return i3d_model_param(plan->model, (size_t)(op->param + which));
}

/* Whether a parameter of this operation is trained. */
static bool op_trained(const struct plan *plan, const struct op *op)
{
    int count = op->kind == OP_CONV ? 3 : op->kind == OP_HEAD ? 2 : 0;
    for (int i = 0; i < count; i++)
        if (plan->trained[op->param + i])
            return true;
    return false;
}

static bool op_needs_backward(const struct plan *plan, const struct op *op)
{
    return op_trained(plan, op) || plan->wanted[op->in];
}

static i3d_status get_values(struct plan *plan)
{
    const struct graph *graph = &plan->graph;
    size_t batch = (size_t)plan->batch, scratch = 0;
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
    TRY(get(plan, (size_t)plan->threads, sizeof *plan->scratch, &plan->scratch));
    for (int i = 0; i < plan->threads; i++)
        TRY(get(plan, scratch, 1, &plan->scratch[i]));
out:
    return status;
}

/* Marks the values whose gradients are wanted: those behind the first trained parameter. */
static i3d_status choose_trained(struct plan *plan, const struct plan_request *request)
{
    size_t params = i3d_model_param_count(plan->model);
    i3d_status status = get(plan, params, sizeof *plan->trained, &plan->trained);
    if (status != I3D_OK)
        return status;
    for (size_t p = 0; p < params; p++)
        plan->trained[p] = !request->trained || request->trained[p];
    for (int i = 0; i < plan->graph.op_count; i++) {
        const struct op *op = &plan->graph.ops[i];
        plan->frozen[i] = request->bn_frozen && request->bn_frozen[i];
        if (op_needs_backward(plan, op))
            plan->wanted[op->out] = true;
    }
    return I3D_OK;
}

static i3d_status get_gradients(struct plan *plan, const struct plan_request *request)
{
    const struct graph *graph = &plan->graph;
    size_t batch = (size_t)plan->batch, raw_floats = 0, weight_floats = 0;
    i3d_status status;
    TRY(choose_trained(plan, request));
    for (int v = 0; v < graph->value_count; v++)
        if (plan->wanted[v])
            TRY(get(plan, batch * value_floats(&graph->values[v]), sizeof(float),
                    &plan->value_grads[v]));
    for (int i = 0; i < graph->op_count; i++) {
        const struct op *op = &graph->ops[i];
        size_t floats = batch * (size_t)op->channels * op_map(op);
        if (op->kind == OP_HEAD)
            TRY(get(plan, floats, sizeof(float), &plan->keep));
        if (op->kind != OP_CONV)
            continue;
        TRY(get(plan, floats, sizeof(float), &plan->raw[i]));
        if (floats > raw_floats)
            raw_floats = floats;
        if (op_param(plan, op, 0)->count > weight_floats)
            weight_floats = op_param(plan, op, 0)->count;
    }
    TRY(get(plan, raw_floats, sizeof(float), &plan->raw_grad));
    TRY(get(plan, weight_floats, sizeof(float), &plan->turned));
out:
    return status;
}

static void release(struct plan *plan)
{
    if (!plan)
        return;
    for (int v = 0; v < GRAPH_VALUES_MAX; v++) {
        memory_free(plan->values[v]);
        memory_free(plan->value_grads[v]);
    }
    for (int i = 0; i < GRAPH_OPS_MAX; i++) {
        memory_free(plan->mean[i]);
        memory_free(plan->variance[i]);
        memory_free(plan->raw[i]);
    }
    for (int i = 0; plan->scratch && i < plan->threads; i++)
        memory_free(plan->scratch[i]);
    memory_free(plan->scratch);
    memory_free(plan->trained);
    memory_free(plan->raw_grad);
    memory_free(plan->turned);
    memory_free(plan->keep);
    memory_free(plan);
}

static i3d_status make_plan(const struct plan_request *request, struct plan **out)
{
    struct plan *plan = NULL;
    i3d_status status;
    *out = NULL;
    if (request->precision == I3D_PRECISION_BF16)
        return failure(I3D_EUNSUPPORTED,
                       "the reference engine has no bfloat16: choose fp32 or another engine");
    TRY(memory_get(1, sizeof *plan, &plan));
    plan->bytes = sizeof *plan;
    plan->model = request->model;
    plan->params = i3d_model_data((i3d_model *)request->model);
    plan->graph = request->graph;
    plan->conv = request->precision == I3D_PRECISION_F32 ? &conv_f32 : &conv_f64;
    plan->batch = request->batch;
    plan->threads = request->threads > 0 ? request->threads : thread_count();
    plan->training = request->training;
    TRY(get_values(plan));
    if (plan->training)
        TRY(get_gradients(plan, request));
    *out = plan;
    plan = NULL;
out:
    release(plan);
    return status;
}

/* Parameters are read where they are: there is nothing to prepare. */
static i3d_status load(struct plan *plan)
{
    (void)plan;
    return I3D_OK;
}

/* Channels of `data`, which is laid out as value `v`. */
static struct slice slice_value(const struct plan *plan, int v, float *data, int channel)
{
    const struct value *value = &plan->graph.values[v];
    struct slice slice = { .data = data, .sample = value_floats(value) };
    slice.map = slice.sample / (size_t)value->channels;
    slice.data += (size_t)channel * slice.map;
    return slice;
}

static struct slice slice_raw(const struct op *op, float *data)
{
    return (struct slice){ .data = data,
                           .sample = (size_t)op->channels * op_map(op),
                           .map = op_map(op) };
}

static struct norm describe_norm(const struct plan *plan, int i, int count)
{
    const struct op *op = &plan->graph.ops[i];
    return (struct norm){ .count = count,
                          .channels = op->channels,
                          .threads = plan->threads,
                          .epsilon = plan->graph.bn_epsilon,
                          .frozen = !plan->training || plan->frozen[i],
                          .gamma = plan->params + op_param(plan, op, 1)->offset,
                          .beta = plan->params + op_param(plan, op, 2)->offset,
                          .running_mean = plan->params + op_param(plan, op, 3)->offset,
                          .running_variance = plan->params + op_param(plan, op, 4)->offset,
                          .mean = plan->mean[i],
                          .variance = plan->variance[i] };
}

static struct head describe_head(const struct plan *plan, const struct op *op)
{
    return (struct head){ .channels = op->channels,
                          .t = op->size_out[0],
                          .classes = plan->graph.classes,
                          .weight = plan->params + op_param(plan, op, 0)->offset,
                          .bias = plan->params + op_param(plan, op, 1)->offset };
}

static struct pool describe_pool(const struct plan *plan, const struct op *op, int count)
{
    return (struct pool){ .op = op,
                          .count = count,
                          .threads = plan->threads,
                          .mean = op->kind == OP_HEAD && plan->graph.head == I3D_HEAD_AVG };
}

static i3d_status conv_op_forward(struct plan *plan, int i, int count)
{
    const struct op *op = &plan->graph.ops[i];
    struct conv conv = {
        .op = op, .count = count, .threads = plan->threads, .scratch = plan->scratch
    };
    struct norm norm = describe_norm(plan, i, count);
    struct slice in = slice_value(plan, op->in, plan->values[op->in], 0);
    struct slice out = slice_value(plan, op->out, plan->values[op->out], op->out_channel);
    struct slice raw = plan->training ? slice_raw(op, plan->raw[i]) : out;
    i3d_status status;
    TRY(plan->conv->forward(&conv, in, plan->params + op_param(plan, op, 0)->offset, raw));
    TRY(norm_forward(&norm, raw, out));
out:
    return status;
}

static i3d_status forward(struct plan *plan, int count, const float *input, const float *keep,
                          float *logits)
{
    const struct graph *graph = &plan->graph;
    size_t clips = (size_t)count;
    i3d_status status = I3D_OK;
    memcpy(plan->values[0], input, clips * value_floats(&graph->values[0]) * sizeof *input);
    plan->count = count;
    plan->keep_given = keep != NULL;
    for (int i = 0; i < graph->op_count; i++) {
        const struct op *op = &graph->ops[i];
        if (op->kind == OP_CONV) {
            TRY(conv_op_forward(plan, i, count));
            continue;
        }
        struct pool pool = describe_pool(plan, op, count);
        TRY(pool_forward(&pool, slice_value(plan, op->in, plan->values[op->in], 0),
                         slice_value(plan, op->out, plan->values[op->out], op->out_channel)));
    }
    const struct op *last = &graph->ops[graph->op_count - 1];
    size_t floats = clips * value_floats(&graph->values[last->out]);
    if (last->kind != OP_HEAD) {
        memcpy(logits, plan->values[last->out], floats * sizeof *logits);
        goto out;
    }
    struct head head = describe_head(plan, last);
    head_forward(&head, count, plan->values[last->out], keep, logits);
    if (plan->training && keep)
        memcpy(plan->keep, keep, floats * sizeof *keep);
out:
    return status;
}

/* `grads` at a parameter of this operation, NULL if it is not trained. */
static float *param_grad(const struct plan *plan, const struct op *op, int which, float *grads)
{
    return plan->trained[op->param + which] ? grads + op_param(plan, op, which)->offset : NULL;
}

/* The batch's statistics where the running ones have their slots; unbiased as PyTorch's update. */
static void write_statistics(const struct plan *plan, int i, float *grads)
{
    const struct op *op = &plan->graph.ops[i];
    double elements = (double)plan->count * (double)op_map(op);
    double unbiased = elements > 1 ? elements / (elements - 1) : 1;
    for (int c = 0; c < op->channels; c++) {
        grads[op_param(plan, op, 3)->offset + (size_t)c] = (float)plan->mean[i][c];
        grads[op_param(plan, op, 4)->offset + (size_t)c] = (float)(plan->variance[i][c] * unbiased);
    }
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

static i3d_status conv_op_backward(struct plan *plan, int i, float *grads)
{
    const struct op *op = &plan->graph.ops[i];
    const i3d_param *weight = op_param(plan, op, 0);
    struct conv conv = {
        .op = op, .count = plan->count, .threads = plan->threads, .scratch = plan->scratch
    };
    struct norm norm = describe_norm(plan, i, plan->count);
    struct slice in = slice_value(plan, op->in, plan->values[op->in], 0);
    struct slice out = slice_value(plan, op->out, plan->values[op->out], op->out_channel);
    struct slice out_grad = slice_value(plan, op->out, plan->value_grads[op->out], op->out_channel);
    struct slice raw_grad = slice_raw(op, plan->raw_grad);
    i3d_status status;
    TRY(norm_backward(&norm, slice_raw(op, plan->raw[i]), out, out_grad, raw_grad,
                      param_grad(plan, op, 1, grads), param_grad(plan, op, 2, grads)));
    if (plan->trained[op->param])
        TRY(plan->conv->backward_weight(&conv, in, raw_grad, grads + weight->offset));
    if (plan->wanted[op->in]) {
        turn_weight(weight, plan->params + weight->offset, plan->turned);
        TRY(plan->conv->backward_data(&conv, raw_grad, plan->turned,
                                      slice_value(plan, op->in, plan->value_grads[op->in], 0)));
    }
out:
    return status;
}

/* A pool's, or the head's pool's. */
static i3d_status pool_op_backward(struct plan *plan, const struct op *op)
{
    struct pool pool = describe_pool(plan, op, plan->count);
    return pool_backward(&pool, slice_value(plan, op->in, plan->values[op->in], 0),
                         slice_value(plan, op->out, plan->value_grads[op->out], op->out_channel),
                         slice_value(plan, op->in, plan->value_grads[op->in], 0));
}

/* From the logits' gradient to that of the last value. */
static void begin_backward(struct plan *plan, const float *logits_grad, float *grads)
{
    const struct op *last = &plan->graph.ops[plan->graph.op_count - 1];
    float *value_grad = plan->value_grads[last->out];
    if (last->kind == OP_HEAD) {
        struct head head = describe_head(plan, last);
        head_backward(&head, plan->count, plan->values[last->out],
                      plan->keep_given ? plan->keep : NULL, logits_grad,
                      param_grad(plan, last, 0, grads), param_grad(plan, last, 1, grads),
                      plan->wanted[last->in] ? value_grad : NULL);
    } else if (value_grad) {
        size_t floats = (size_t)plan->count * value_floats(&plan->graph.values[last->out]);
        memcpy(value_grad, logits_grad, floats * sizeof *value_grad);
    }
}

static i3d_status backward(struct plan *plan, const float *logits_grad, float *grads)
{
    const struct graph *graph = &plan->graph;
    size_t clips = (size_t)plan->count;
    i3d_status status = I3D_OK;
    memset(grads, 0, i3d_model_data_count(plan->model) * sizeof *grads);
    for (int v = 0; v < graph->value_count; v++)
        if (plan->wanted[v])
            memset(plan->value_grads[v], 0,
                   clips * value_floats(&graph->values[v]) * sizeof(float));
    begin_backward(plan, logits_grad, grads);
    for (int i = graph->op_count - 1; i >= 0; i--) {
        const struct op *op = &graph->ops[i];
        if (op->kind == OP_CONV && !plan->frozen[i])
            write_statistics(plan, i, grads);
        if (op->kind == OP_CONV && op_needs_backward(plan, op))
            TRY(conv_op_backward(plan, i, grads));
        if (op->kind != OP_CONV && plan->wanted[op->in])
            TRY(pool_op_backward(plan, op));
    }
out:
    return status;
}

static i3d_status read_value(struct plan *plan, int index, float *out)
{
    if (index < 0 || index >= plan->graph.value_count)
        return failure(I3D_EINVAL, "the network has no value %d: give 0 to %d", index,
                       plan->graph.value_count - 1);
    size_t floats = (size_t)plan->count * value_floats(&plan->graph.values[index]);
    memcpy(out, plan->values[index], floats * sizeof *out);
    return I3D_OK;
}

static size_t memory(const struct plan *plan)
{
    return plan->bytes;
}

const struct engine engine_reference = {
    .name = "reference",
    .description = "plain C on any processor: the definition that other engines are checked by",
    .available = available,
    .plan = make_plan,
    .load = load,
    .forward = forward,
    .backward = backward,
    .read_value = read_value,
    .memory = memory,
    .free = release,
};
