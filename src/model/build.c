#include "model/build.h"

#include "base/failure.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

/* The network being built: `in` is the value that the next unit reads. */
struct build {
    i3d_model *model;
    struct graph *graph;
    const struct unit *unit;
    int in;
};

static i3d_status add_value(struct build *at, const char *name, int channels, int *out)
{
    struct graph *graph = at->graph;
    if (graph->value_count == GRAPH_VALUES_MAX)
        return failure(I3D_EUNSUPPORTED, "the network has more than %d values, at '%s'",
                       GRAPH_VALUES_MAX, name);
    struct value *value = &graph->values[graph->value_count];
    *value = (struct value){ .channels = channels };
    snprintf(value->name, sizeof value->name, "%s", name);
    *out = graph->value_count++;
    return I3D_OK;
}

static i3d_status add_op(struct build *at, enum op_kind kind, const char *name, struct op **out)
{
    struct graph *graph = at->graph;
    int channels = graph->values[at->in].channels;
    if (graph->op_count == GRAPH_OPS_MAX)
        return failure(I3D_EUNSUPPORTED, "the network has more than %d operations, at '%s'",
                       GRAPH_OPS_MAX, name);
    struct op *op = *out = &graph->ops[graph->op_count++];
    *op = (struct op){
        .kind = kind, .in = at->in, .with = -1, .in_channels = channels, .channels = channels
    };
    for (int role = 0; role < I3D_PARAM_ROLES; role++)
        op->params[role] = -1;
    snprintf(op->name, sizeof op->name, "%s", name);
    return I3D_OK;
}

static const char *const role_names[I3D_PARAM_ROLES] = {
    [I3D_PARAM_WEIGHT] = "weight", [I3D_PARAM_BIAS] = "bias", [I3D_PARAM_GAMMA] = "gamma",
    [I3D_PARAM_BETA] = "beta",     [I3D_PARAM_MEAN] = "mean", [I3D_PARAM_VARIANCE] = "variance",
};

/* There is room for five an operation. */
static void add_param(struct build *at, struct op *op, i3d_param_role role)
{
    struct graph *graph = at->graph;
    i3d_param *param = &at->model->params[graph->param_count];
    char *name = at->model->param_names[graph->param_count];
    int outputs = op->kind == OP_HEAD ? graph->classes : op->channels;
    snprintf(name, PARAM_NAME_BYTES, "%s.%s", op->name, role_names[role]);
    *param = (i3d_param){ .name = name,
                          .unit = at->unit->name,
                          .role = role,
                          .rank = 1,
                          .shape = { outputs },
                          .offset = graph->floats,
                          .count = (size_t)outputs };
    if (role == I3D_PARAM_WEIGHT) {
        param->rank = 5;
        param->shape[1] = op->in_channels;
        param->count *= (size_t)op->in_channels;
        for (int d = 0; d < 3; d++) {
            param->shape[2 + d] = op->kind == OP_HEAD ? 1 : op->kernel[d];
            param->count *= (size_t)param->shape[2 + d];
        }
    }
    op->params[role] = graph->param_count++;
    graph->floats += param->count;
}

static void add_params(struct build *at, struct op *op)
{
    add_param(at, op, I3D_PARAM_WEIGHT);
    if (!op->norm) {
        add_param(at, op, I3D_PARAM_BIAS);
        return;
    }
    add_param(at, op, I3D_PARAM_GAMMA);
    add_param(at, op, I3D_PARAM_BETA);
    add_param(at, op, I3D_PARAM_MEAN);
    add_param(at, op, I3D_PARAM_VARIANCE);
    op->statistics = at->graph->statistics;
    at->graph->statistics += 2 * (size_t)op->channels;
}

/* A convolution of `channels`, or a pool of 0. Writes channels `out_channel`.. of value `*out`, or
 * makes a value of its own if that is -1. */
static i3d_status add_window(struct build *at, const char *name, int channels, const int kernel[3],
                             const int stride[3], int *out, int out_channel)
{
    struct op *op = NULL;
    i3d_status status;
    TRY(add_op(at, channels ? OP_CONV : OP_POOL, name, &op));
    memcpy(op->kernel, kernel, sizeof op->kernel);
    memcpy(op->stride, stride, sizeof op->stride);
    if (channels) {
        op->channels = channels;
        op->norm = !at->unit->no_norm;
        op->relu = !at->unit->no_relu;
        add_params(at, op);
    }
    if (*out < 0)
        TRY(add_value(at, name, op->channels, out));
    op->out = *out;
    op->out_channel = out_channel;
out:
    return status;
}

/* The layers of an Inception block. `last` ones write side by side into the block's value. */
static const struct {
    const char *suffix;
    int channels; /* index in unit.channels, -1: a pool */
    int kernel[3];
    bool last;
} mixed_layers[] = {
    { "b0", 0, { 1, 1, 1 }, true },  { "b1a", 1, { 1, 1, 1 }, false },
    { "b1b", 2, { 3, 3, 3 }, true }, { "b2a", 3, { 1, 1, 1 }, false },
    { "b2b", 4, { 3, 3, 3 }, true }, { "b3a", -1, { 3, 3, 3 }, false },
    { "b3b", 5, { 1, 1, 1 }, true },
};

static i3d_status add_mixed(struct build *at)
{
    static const int stride[3] = { 1, 1, 1 };
    const int *channels = at->unit->channels, begin = at->in;
    int all = channels[0] + channels[2] + channels[4] + channels[5], out = -1, out_channel = 0;
    i3d_status status;
    TRY(add_value(at, at->unit->name, all, &out));
    for (size_t i = 0; i < sizeof mixed_layers / sizeof mixed_layers[0]; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s_%s", at->unit->name, mixed_layers[i].suffix);
        int index = mixed_layers[i].channels, width = index < 0 ? 0 : channels[index];
        bool last = mixed_layers[i].last;
        int value = last ? out : -1;
        TRY(add_window(at, name, width, mixed_layers[i].kernel, stride, &value,
                       last ? out_channel : 0));
        at->in = last ? begin : value;
        out_channel += last ? width : 0;
    }
    at->in = out;
out:
    return status;
}

static i3d_status add_sum(struct build *at)
{
    struct graph *graph = at->graph;
    struct op *op = NULL;
    i3d_status status;
    TRY(add_op(at, OP_ADD, at->unit->name, &op));
    op->relu = !at->unit->no_relu;
    for (int v = 0; v < graph->value_count; v++)
        if (strcmp(graph->values[v].name, at->unit->from) == 0)
            op->with = v;
    if (op->with < 0 || graph->values[op->with].channels != op->channels)
        return failure(I3D_EINVAL, "'%s' cannot add '%s': it is no earlier value of %d channels",
                       op->name, at->unit->from, op->channels);
    TRY(add_value(at, at->unit->name, op->channels, &op->out));
    at->in = op->out;
out:
    return status;
}

static i3d_status add_head(struct build *at)
{
    struct op *op = NULL;
    i3d_status status;
    TRY(add_op(at, OP_HEAD, at->unit->name, &op));
    add_params(at, op);
    TRY(add_value(at, "features", op->channels, &op->out));
    at->in = op->out;
out:
    return status;
}

static i3d_status add_unit(struct build *at)
{
    const struct unit *unit = at->unit;
    if (unit->kind == UNIT_MIXED)
        return add_mixed(at);
    if (unit->kind == UNIT_ADD)
        return add_sum(at);
    if (unit->kind == UNIT_HEAD)
        return add_head(at);
    int out = -1;
    i3d_status status =
        add_window(at, unit->name, unit->channels[0], unit->kernel, unit->stride, &out, 0);
    at->in = out;
    return status;
}

i3d_status model_build(i3d_model *model)
{
    struct build at = { .model = model, .graph = &model->graph };
    i3d_status status;
    model->graph = (struct graph){ .classes = model->options.classes,
                                   .head = model->options.head,
                                   .bn_epsilon = model->options.bn_epsilon };
    TRY(memory_get(GRAPH_PARAMS_MAX, sizeof *model->params, &model->params));
    TRY(memory_get(GRAPH_PARAMS_MAX, sizeof *model->param_names, &model->param_names));
    model->graph.params = model->params;
    TRY(add_value(&at, "data", model->options.channels, &at.in));
    for (int u = 0; u < model->unit_count; u++) {
        at.unit = &model->units[u];
        TRY(add_unit(&at));
    }
out:
    return status;
}
