#include "export/evaluate.h"

#include "base/failure.h"
#include "base/memory.h"
#include "base/thread.h"
#include "engine/reference/conv.h"
#include "engine/reference/pool.h"

#include <math.h>
#include <stdio.h>

/* A value of one clip: [1, channels, t, h, w], or in a reshaped one other sizes. */
struct activation {
    struct bytes name;
    int rank;
    int64_t shape[5];
    size_t floats;
    float *data;
    int readers; /* inputs of nodes that are still to come */
};

struct evaluation {
    struct team *team;
    const struct node_list *list;
    const i3d_weights *weights;
    int64_t batch; /* of the file; 0: open */
    struct activation *values;
    size_t count;
};

static i3d_status find_value(struct evaluation *at, const struct node *node, int input,
                             struct activation **out)
{
    *out = NULL;
    for (size_t i = 0; input < node->input_count && i < at->count; i++)
        if (at->values[i].data && bytes_same(at->values[i].name, node->inputs[input])) {
            *out = &at->values[i];
            return I3D_OK;
        }
    return node_refuse(node, "reads a value that nothing before it gives");
}

/* [1, C, t, h, w] */
static i3d_status find_map(struct evaluation *at, const struct node *node, struct activation **out)
{
    i3d_status status = find_value(at, node, 0, out);
    if (status == I3D_OK && (*out)->rank != 5)
        status = node_refuse(node, "reads a value that is no map");
    return status;
}

/* A float32 weight; its first size is `channels`, 0: any. */
static i3d_status find_weight(struct evaluation *at, const struct node *node, int input, int rank,
                              int64_t channels, const i3d_tensor **out)
{
    char name[128];
    *out = NULL;
    if (input < node->input_count) {
        snprintf(name, sizeof name, "%.*s", (int)node->inputs[input].count,
                 (const char *)node->inputs[input].at);
        *out = i3d_weights_find(at->weights, name);
    }
    if (!*out || (*out)->dtype != I3D_F32 || (*out)->rank != rank ||
        (channels && (*out)->shape[0] != channels))
        return node_refuse(node, "lacks a weight, or has one of another shape");
    return I3D_OK;
}

static i3d_status make(struct activation *out, int rank, const int64_t *shape)
{
    out->rank = rank;
    out->floats = 1;
    for (int i = 0; i < rank; i++) {
        out->shape[i] = shape[i];
        out->floats *= (size_t)shape[i];
    }
    return memory_get(out->floats, sizeof *out->data, &out->data);
}

/* `out` becomes `in`, whose memory it takes if nothing else will read it. */
static i3d_status pass(struct activation *in, struct activation *out)
{
    if (in->readers > 1) {
        i3d_status status = make(out, in->rank, in->shape);
        if (status == I3D_OK)
            memcpy(out->data, in->data, in->floats * sizeof *in->data);
        return status;
    }
    struct bytes name = out->name;
    int readers = out->readers;
    *out = *in;
    out->name = name;
    out->readers = readers;
    in->data = NULL;
    return I3D_OK;
}

static struct maps maps_of(const struct activation *value)
{
    return (struct maps){ .data = value->data,
                          .sample = value->floats,
                          .map = value->floats / (size_t)value->shape[1] };
}

static i3d_status make_map(const struct op *op, struct activation *out)
{
    const int64_t shape[5] = { 1, op->channels, op->size_out[0], op->size_out[1], op->size_out[2] };
    return make(out, 5, shape);
}

/* Every channel c of a value becomes scale[c] x + shift[c]; NULL: scales of 1. */
static void scale_channels(struct activation *value, const double *scale, const float *shift)
{
    size_t map = value->floats / (size_t)value->shape[1];
    for (int64_t c = 0; c < value->shape[1]; c++)
        for (size_t i = (size_t)c * map; i < (size_t)(c + 1) * map; i++)
            value->data[i] = (float)((scale ? scale[c] : 1) * value->data[i] + shift[c]);
}

static i3d_status convolve(struct team *team, const struct op *op, const struct activation *in,
                           const float *weight, struct activation *out)
{
    i3d_status status;
    size_t workers = (size_t)team_workers(team);
    size_t bytes = conv_scratch_bytes(op);
    void **scratch = NULL;
    char *memory = NULL;
    TRY(memory_get(workers, sizeof *scratch, &scratch));
    TRY(memory_get(workers, bytes, &memory));
    for (size_t i = 0; i < workers; i++)
        scratch[i] = memory + i * bytes;
    struct conv conv = { .op = op, .count = 1, .team = team, .scratch = scratch };
    TRY(conv_f32.forward(&conv, maps_of(in), weight, maps_of(out)));
out:
    memory_free(memory);
    memory_free(scratch);
    return status;
}

static i3d_status run_conv(struct evaluation *at, const struct node *node, struct activation *out)
{
    i3d_status status;
    struct op op = { .kind = OP_CONV };
    struct activation *in;
    const i3d_tensor *weight, *bias = NULL;
    TRY(find_map(at, node, &in));
    TRY(node_window(node, in->shape, &op));
    TRY(find_weight(at, node, 1, 5, 0, &weight));
    op.channels = (int)weight->shape[0];
    bool fits = weight->shape[1] == op.in_channels;
    for (int d = 0; d < 3; d++)
        fits = fits && weight->shape[2 + d] == op.kernel[d];
    if (!fits)
        return node_refuse(node, "has a weight of another shape than its window");
    if (node->input_count > 2)
        TRY(find_weight(at, node, 2, 1, op.channels, &bias));
    TRY(make_map(&op, out));
    TRY(convolve(at->team, &op, in, weight->data, out));
    if (bias)
        scale_channels(out, NULL, bias->data);
out:
    return status;
}

static i3d_status run_bias(struct evaluation *at, const struct node *node, struct activation *out)
{
    i3d_status status;
    struct activation *in;
    const i3d_tensor *bias;
    TRY(find_map(at, node, &in));
    TRY(find_weight(at, node, 1, 1, in->shape[1], &bias));
    TRY(pass(in, out));
    scale_channels(out, NULL, bias->data);
out:
    return status;
}

static i3d_status run_norm(struct evaluation *at, const struct node *node, struct activation *out)
{
    i3d_status status;
    struct activation *in;
    const i3d_tensor *params[4]; /* gamma, beta, mean, variance */
    const struct attribute *epsilon = node_attribute(node, "epsilon");
    double *scale = NULL;
    float *shift = NULL;
    TRY(find_value(at, node, 0, &in));
    size_t channels = (size_t)in->shape[1];
    for (int p = 0; p < 4; p++)
        TRY(find_weight(at, node, 1 + p, 1, in->shape[1], &params[p]));
    if (!epsilon)
        return node_refuse(node, "has no epsilon");
    TRY(memory_get(channels, sizeof *scale, &scale));
    TRY(memory_get(channels, sizeof *shift, &shift));
    for (size_t c = 0; c < channels; c++) {
        double variance = i3d_tensor_get(params[3], c), mean = i3d_tensor_get(params[2], c);
        scale[c] = i3d_tensor_get(params[0], c) / sqrt(variance + epsilon->real);
        shift[c] = (float)(i3d_tensor_get(params[1], c) - mean * scale[c]);
    }
    TRY(pass(in, out));
    scale_channels(out, scale, shift);
out:
    memory_free(scale);
    memory_free(shift);
    return status;
}

static i3d_status run_relu(struct evaluation *at, const struct node *node, struct activation *out)
{
    struct activation *in;
    i3d_status status = find_value(at, node, 0, &in);
    if (status == I3D_OK)
        status = pass(in, out);
    for (size_t i = 0; status == I3D_OK && i < out->floats; i++)
        out->data[i] = out->data[i] > 0 ? out->data[i] : 0;
    return status;
}

static i3d_status run_pool(struct evaluation *at, const struct node *node, struct activation *out)
{
    i3d_status status;
    struct op op = { .kind = OP_POOL };
    struct activation *in;
    TRY(find_map(at, node, &in));
    TRY(node_window(node, in->shape, &op));
    struct pool pool = { .op = &op, .count = 1, .team = at->team };
    pool.mean = bytes_begin(node->type, "A");
    for (int d = 0; pool.mean && d < 3; d++)
        if (op.front[d] || op.back[d])
            return node_refuse(node, "has padding, which no mean of ours has");
    TRY(make_map(&op, out));
    TRY(pool_forward(&pool, maps_of(in), maps_of(out)));
out:
    return status;
}

/* In MINDIR the one input is a tuple, a node of its own. */
static i3d_status run_concat(struct evaluation *at, const struct node *node, struct activation *out)
{
    i3d_status status = I3D_OK;
    const struct attribute *axis = node_attribute(node, "axis");
    const struct node *parts = nodes_find(at->list, node->inputs[0]);
    struct activation *part, *first;
    float *to = NULL;
    if (!parts || !bytes_equal(parts->type, "MakeTuple"))
        parts = node;
    if (!axis || axis->count != 1 || axis->ints[0] != 1)
        return node_refuse(node, "is not along the channels");
    TRY(find_map(at, parts, &first));
    int64_t shape[5] = { 1, 0, first->shape[2], first->shape[3], first->shape[4] };
    for (int i = 0; i < parts->input_count; i++) {
        TRY(find_value(at, parts, i, &part));
        if (part->rank != 5 || memcmp(part->shape + 2, shape + 2, 3 * sizeof *shape) != 0)
            return node_refuse(node, "has parts of different sizes");
        shape[1] += part->shape[1];
    }
    TRY(make(out, 5, shape));
    to = out->data;
    for (int i = 0; i < parts->input_count; i++) {
        TRY(find_value(at, parts, i, &part));
        memcpy(to, part->data, part->floats * sizeof *to);
        to += part->floats;
    }
out:
    return status;
}

/* Over t, h and w, which go. */
static i3d_status run_mean(struct evaluation *at, const struct node *node, struct activation *out)
{
    i3d_status status;
    struct activation *in;
    const struct node *constant =
        node->input_count > 1 ? nodes_find(at->list, node->inputs[1]) : NULL;
    const struct attribute *axes =
        constant ? node_attribute(constant, "value") : node_attribute(node, "axes");
    const struct attribute *keep = node_attribute(node, constant ? "keep_dims" : "keepdims");
    if (!axes || axes->count != 3 || axes->ints[0] != 2 || axes->ints[1] != 3 ||
        axes->ints[2] != 4 || !keep || keep->count != 1 || keep->ints[0] != 0)
        return node_refuse(node, "is not a mean over t, h and w");
    TRY(find_map(at, node, &in));
    TRY(make(out, 2, in->shape));
    size_t map = in->floats / out->floats;
    for (size_t c = 0; c < out->floats; c++) {
        double sum = 0;
        for (size_t i = c * map; i < (c + 1) * map; i++)
            sum += in->data[i];
        out->data[c] = (float)(sum / (double)map);
    }
out:
    return status;
}

/* The first size is the file's batch, of which one clip is run. */
static i3d_status run_reshape(struct evaluation *at, const struct node *node,
                              struct activation *out)
{
    i3d_status status;
    struct activation *in;
    const struct node *constant =
        node->input_count > 1 ? nodes_find(at->list, node->inputs[1]) : NULL;
    const struct attribute *shape = constant ? node_attribute(constant, "value") : NULL;
    TRY(find_value(at, node, 0, &in));
    if (!shape || shape->count < 2 || shape->count > 5 || shape->ints[0] != at->batch ||
        shape->ints[1] != in->shape[1])
        return node_refuse(node, "has no shape that keeps batch and channels");
    size_t room = in->floats, floats = 1;
    for (int i = 1; i < shape->count; i++) {
        if (shape->ints[i] < 1 || (size_t)shape->ints[i] > room / floats)
            return node_refuse(node, "has a shape of more numbers than its input");
        floats *= (size_t)shape->ints[i];
    }
    if (floats != room)
        return node_refuse(node, "has a shape of fewer numbers than its input");
    TRY(pass(in, out));
    out->rank = shape->count;
    for (int i = 1; i < shape->count; i++)
        out->shape[i] = shape->ints[i];
out:
    return status;
}

/* A batch norm gives a tuple, whose first element is the map. */
static i3d_status run_item(struct evaluation *at, const struct node *node, struct activation *out)
{
    struct activation *in;
    const struct node *constant =
        node->input_count > 1 ? nodes_find(at->list, node->inputs[1]) : NULL;
    const struct attribute *which = constant ? node_attribute(constant, "value") : NULL;
    if (!which || which->count != 1 || which->ints[0] != 0)
        return node_refuse(node, "does not take the first of its input");
    i3d_status status = find_value(at, node, 0, &in);
    return status == I3D_OK ? pass(in, out) : status;
}

/* Constants and tuples are looked at by those that read them. */
static i3d_status run_nothing(struct evaluation *at, const struct node *node,
                              struct activation *out)
{
    (void)at, (void)node, (void)out;
    return I3D_OK;
}

static const struct {
    const char *type;
    i3d_status (*run)(struct evaluation *at, const struct node *node, struct activation *out);
} operators[] = {
    { "Conv", run_conv },         { "Conv3D", run_conv },
    { "BiasAdd", run_bias },      { "BatchNormalization", run_norm },
    { "BatchNorm", run_norm },    { "Relu", run_relu },
    { "ReLU", run_relu },         { "MaxPool", run_pool },
    { "MaxPool3D", run_pool },    { "GlobalMaxPool", run_pool },
    { "AveragePool", run_pool },  { "AvgPool3D", run_pool },
    { "Concat", run_concat },     { "ReduceMean", run_mean },
    { "Reshape", run_reshape },   { "TupleGetItem", run_item },
    { "MakeTuple", run_nothing }, { "Constant", run_nothing },
};

static i3d_status run_node(struct evaluation *at, const struct node *node, struct activation *out)
{
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++)
        if (bytes_equal(node->type, operators[i].type))
            return operators[i].run(at, node, out);
    return node_refuse(node, "is not known here");
}

static int count_readers(const struct node_list *list, struct bytes name)
{
    int count = bytes_same(list->output, name);
    for (size_t i = 0; i < list->count; i++)
        for (int k = 0; k < list->nodes[i].input_count; k++)
            count += bytes_same(list->nodes[i].inputs[k], name);
    return count;
}

/* What a node has read and nothing else will is given back. A tuple's parts are read when it is. */
static void release(struct evaluation *at, const struct node *node)
{
    const struct node *tuple = node->input_count ? nodes_find(at->list, node->inputs[0]) : NULL;
    if (bytes_equal(node->type, "MakeTuple"))
        return;
    if (tuple && bytes_equal(tuple->type, "MakeTuple"))
        node = tuple;
    for (int k = 0; k < node->input_count; k++)
        for (size_t i = 0; i < at->count; i++)
            if (bytes_same(at->values[i].name, node->inputs[k]) && --at->values[i].readers == 0) {
                memory_free(at->values[i].data);
                at->values[i].data = NULL;
            }
}

static i3d_status begin(struct evaluation *at, const int64_t shape[4], const float *data)
{
    i3d_status status;
    const struct node_list *list = at->list;
    const int64_t clip[5] = { 1, shape[0], shape[1], shape[2], shape[3] };
    struct activation *input;
    TRY(memory_get(list->count + 1, sizeof *at->values, &at->values));
    if (list->rank != 5)
        return failure(I3D_EFORMAT, "its input has %d sizes, not 5", list->rank);
    for (int i = 1; i < 5; i++)
        if (list->shape[i] && list->shape[i] != clip[i])
            return failure(I3D_EFORMAT, "its input has a size of %lld, not %lld",
                           (long long)list->shape[i], (long long)clip[i]);
    at->batch = list->shape[0];
    at->count = 1;
    input = &at->values[0];
    input->name = list->input;
    input->readers = count_readers(list, input->name);
    TRY(make(input, 5, clip));
    memcpy(input->data, data, input->floats * sizeof *data);
out:
    return status;
}

i3d_status nodes_evaluate(const struct node_list *list, const i3d_weights *weights,
                          const int64_t shape[4], const float *data, size_t count, float *out)
{
    i3d_status status;
    struct evaluation at = { .list = list, .weights = weights };
    const struct node end = { .type = bytes_of("output"),
                              .output = list->output,
                              .inputs = { list->output },
                              .input_count = 1 };
    struct activation *last;
    TRY(team_create(0, &at.team));
    TRY(begin(&at, shape, data));
    for (size_t i = 0; i < list->count; i++) {
        struct activation *value = &at.values[at.count];
        value->name = list->nodes[i].output;
        value->readers = count_readers(list, value->name);
        TRY(run_node(&at, &list->nodes[i], value));
        at.count++;
        release(&at, &list->nodes[i]);
    }
    TRY(find_value(&at, &end, 0, &last));
    if (last->floats != count)
        status =
            failure(I3D_EFORMAT, "its output has %zu numbers a clip, not %zu", last->floats, count);
    else
        memcpy(out, last->data, count * sizeof *out);
out:
    for (size_t i = 0; at.values && i <= list->count; i++)
        memory_free(at.values[i].data);
    memory_free(at.values);
    team_free(at.team);
    return status;
}
