#include "model/graph.h"

#include "base/failure.h"
#include "model/model.h"

#include <string.h>

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

/* TensorFlow's SAME: ceil(n / stride) outputs, the odd element of padding at the back. */
static void pad_same(struct op *op)
{
    for (int d = 0; d < 3; d++) {
        int n = op->size_in[d], stride = op->stride[d], out = (n + stride - 1) / stride;
        int total = (out - 1) * stride + op->kernel[d] - n;
        if (total < 0)
            total = 0;
        op->front[d] = total / 2;
        op->back[d] = total - total / 2;
        op->size_out[d] = out;
    }
}

/* The whole map in space; in time 2 frames (avg; 1 if there is no second) or all of them (max). */
static void pool_whole(struct op *op, i3d_head head)
{
    for (int d = 0; d < 3; d++) {
        op->kernel[d] = op->size_in[d];
        op->stride[d] = 1;
    }
    if (head == I3D_HEAD_AVG && op->kernel[0] > 2)
        op->kernel[0] = 2;
    for (int d = 0; d < 3; d++)
        op->size_out[d] = op->size_in[d] - op->kernel[d] + 1;
}

static i3d_status add_same(const struct graph *graph, struct op *op)
{
    const struct value *with = &graph->values[op->with];
    const int size[3] = { with->t, with->h, with->w };
    memcpy(op->size_out, op->size_in, sizeof op->size_out);
    if (memcmp(size, op->size_in, sizeof size) == 0)
        return I3D_OK;
    return failure(I3D_EINVAL, "'%s' cannot add '%s': it is %d x %d x %d, not %d x %d x %d",
                   op->name, with->name, size[0], size[1], size[2], op->size_in[0], op->size_in[1],
                   op->size_in[2]);
}

static i3d_status set_size(struct graph *graph, struct op *op)
{
    const struct value *in = &graph->values[op->in];
    struct value *out = &graph->values[op->out];
    i3d_status status = I3D_OK;
    memcpy(op->size_in, (const int[]){ in->t, in->h, in->w }, sizeof op->size_in);
    if (op->kind == OP_HEAD)
        pool_whole(op, graph->head);
    else if (op->kind == OP_ADD)
        status = add_same(graph, op);
    else
        pad_same(op);
    out->t = op->size_out[0];
    out->h = op->size_out[1];
    out->w = op->size_out[2];
    return status;
}

i3d_status graph_create(const i3d_model *model, int t, int h, int w, struct graph *out)
{
    i3d_status status;
    TRY(check_size(model, (const int[]){ t, h, w }));
    *out = model->graph;
    out->values[0].t = t;
    out->values[0].h = h;
    out->values[0].w = w;
    for (int i = 0; i < out->op_count; i++)
        TRY(set_size(out, &out->ops[i]));
out:
    return status;
}

bool graph_has_any(const struct op *op, const bool *chosen)
{
    for (int role = 0; role < I3D_PARAM_ROLES; role++)
        if (op->params[role] >= 0 && chosen[op->params[role]])
            return true;
    return false;
}

size_t graph_output_floats(const struct graph *graph)
{
    const struct op *last = &graph->ops[graph->op_count - 1];
    return last->kind == OP_HEAD ? (size_t)graph->classes : value_floats(&graph->values[last->out]);
}

double op_flops(const struct graph *graph, const struct op *op)
{
    double outputs = (double)op_map(op) * op->channels;
    if (op->kind == OP_CONV)
        return 2 * outputs * (double)op_taps(op) * op->in_channels;
    return op->kind == OP_HEAD ? 2 * outputs * graph->classes : 0;
}

double graph_flops(const struct graph *graph)
{
    double flops = 0;
    for (int i = 0; i < graph->op_count; i++)
        flops += op_flops(graph, &graph->ops[i]);
    return flops;
}
