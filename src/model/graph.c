#include "model/graph.h"

#include "base/failure.h"
#include "model/model.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The graph being unrolled: `in` is the value that the next unit reads. */
struct unroll {
    struct graph *graph;
    int unit, in, param;
};

static int add_value(struct graph *graph, const char *name, int channels, const int size[3])
{
    assert(graph->value_count < GRAPH_VALUES_MAX);
    struct value *value = &graph->values[graph->value_count];
    *value = (struct value){ .channels = channels, .t = size[0], .h = size[1], .w = size[2] };
    snprintf(value->name, sizeof value->name, "%s", name);
    return graph->value_count++;
}

static struct op *add_op(struct unroll *at, enum op_kind kind, const char *name, int in)
{
    struct graph *graph = at->graph;
    assert(graph->op_count < GRAPH_OPS_MAX);
    const struct value *from = &graph->values[in];
    struct op *op = &graph->ops[graph->op_count++];
    *op = (struct op){ .kind = kind,
                       .unit = at->unit,
                       .in = in,
                       .in_channels = from->channels,
                       .channels = from->channels,
                       .size_in = { from->t, from->h, from->w },
                       .param = -1 };
    snprintf(op->name, sizeof op->name, "%s", name);
    return op;
}

/* TensorFlow's SAME: ceil(n / stride) outputs, the odd element of padding at the back. */
static void pad_same(struct op *op, const int kernel[3], const int stride[3])
{
    for (int d = 0; d < 3; d++) {
        int n = op->size_in[d], out = (n + stride[d] - 1) / stride[d];
        int total = (out - 1) * stride[d] + kernel[d] - n;
        if (total < 0)
            total = 0;
        op->kernel[d] = kernel[d];
        op->stride[d] = stride[d];
        op->front[d] = total / 2;
        op->back[d] = total - total / 2;
        op->size_out[d] = out;
    }
}

/* Writes to channels `out_channel`.. of value `out`, or to a new value of its own if `out` is -1;
 * `channels` 0 makes a pool. */
static int add_window(struct unroll *at, const char *name, int in, int channels,
                      const int kernel[3], const int stride[3], int out, int out_channel)
{
    struct op *op = add_op(at, channels ? OP_CONV : OP_POOL, name, in);
    pad_same(op, kernel, stride);
    if (channels) {
        op->channels = channels;
        op->param = at->param;
        at->param += 5;
    }
    op->out = out >= 0 ? out : add_value(at->graph, name, op->channels, op->size_out);
    op->out_channel = out_channel;
    return op->out;
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

static void add_mixed(struct unroll *at, const struct unit *unit)
{
    static const int stride[3] = { 1, 1, 1 };
    const int *channels = unit->channels;
    const struct value *from = &at->graph->values[at->in];
    const int size[3] = { from->t, from->h, from->w };
    int all = channels[0] + channels[2] + channels[4] + channels[5];
    int out = add_value(at->graph, unit->name, all, size), out_channel = 0, in = at->in;
    for (size_t i = 0; i < sizeof mixed_layers / sizeof mixed_layers[0]; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s_%s", unit->name, mixed_layers[i].suffix);
        int index = mixed_layers[i].channels, width = index < 0 ? 0 : channels[index];
        bool last = mixed_layers[i].last;
        int value = add_window(at, name, in, width, mixed_layers[i].kernel, stride, last ? out : -1,
                               last ? out_channel : 0);
        in = last ? at->in : value;
        out_channel += last ? width : 0;
    }
    at->in = out;
}

/* The whole map in space; in time 2 frames (avg; 1 if there is no second) or all of them (max). */
static void add_head(struct unroll *at, const struct unit *unit)
{
    struct graph *graph = at->graph;
    struct op *op = add_op(at, OP_HEAD, unit->name, at->in);
    for (int d = 0; d < 3; d++) {
        op->kernel[d] = op->size_in[d];
        op->stride[d] = 1;
    }
    if (graph->head == I3D_HEAD_AVG && op->kernel[0] > 2)
        op->kernel[0] = 2;
    for (int d = 0; d < 3; d++)
        op->size_out[d] = op->size_in[d] - op->kernel[d] + 1;
    op->param = at->param;
    at->param += 2;
    op->out = add_value(graph, "features", op->channels, op->size_out);
    at->in = op->out;
}

/* Below one stride of the whole network a map would be made of padding more than of the clip. */
static i3d_status check_size(const i3d_model *model, const int size[3])
{
    static const char *const what[3] = { "frames", "rows", "columns" };
    for (int d = 0; d < 3; d++) {
        int least = 1;
        for (int u = 0; u < model->unit_count; u++)
            if (model->units[u].stride[d])
                least *= model->units[u].stride[d];
        if (size[d] < least || size[d] > 1 << 16)
            return failure(I3D_EINVAL,
                           "a clip of %d %s does not fit the network's strides: give %d to %d",
                           size[d], what[d], least, 1 << 16);
    }
    return I3D_OK;
}

i3d_status graph_create(const i3d_model *model, int t, int h, int w, struct graph *out)
{
    const int size[3] = { t, h, w };
    i3d_status status = check_size(model, size);
    if (status != I3D_OK)
        return status;
    *out = (struct graph){ .classes = model->options.classes,
                           .head = model->options.head,
                           .bn_epsilon = model->options.bn_epsilon };
    struct unroll at = { .graph = out };
    at.in = add_value(out, "data", model->options.channels, size);
    for (; at.unit < model->unit_count; at.unit++) {
        const struct unit *unit = &model->units[at.unit];
        if (unit->kind == UNIT_MIXED)
            add_mixed(&at, unit);
        else if (unit->kind == UNIT_HEAD)
            add_head(&at, unit);
        else
            at.in = add_window(&at, unit->name, at.in, unit->channels[0], unit->kernel,
                               unit->stride, -1, 0);
    }
    return I3D_OK;
}

size_t graph_output_floats(const struct graph *graph)
{
    const struct op *last = &graph->ops[graph->op_count - 1];
    return last->kind == OP_HEAD ? (size_t)graph->classes : value_floats(&graph->values[last->out]);
}

double graph_flops(const struct graph *graph)
{
    double flops = 0;
    for (int i = 0; i < graph->op_count; i++) {
        const struct op *op = &graph->ops[i];
        double outputs = 1, window = 1;
        for (int d = 0; d < 3; d++) {
            outputs *= op->size_out[d];
            window *= op->kernel[d];
        }
        if (op->kind == OP_CONV)
            flops += 2 * outputs * window * op->in_channels * op->channels;
        else if (op->kind == OP_HEAD)
            flops += 2 * outputs * op->channels * graph->classes;
    }
    return flops;
}
