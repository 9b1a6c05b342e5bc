/* The network unrolled for one clip shape: what an engine plans and an exporter writes.
 *
 * A value is an activation of [N, channels, t, h, w]. An operation reads one value and writes
 * channels [out_channel, out_channel + channels) of another: a concatenation is four operations
 * that write side by side, so it costs nothing where the engine's layout allows that. */
#ifndef I3D_MODEL_GRAPH_H
#define I3D_MODEL_GRAPH_H

#include <i3d/model.h>

enum { GRAPH_VALUES_MAX = 64, GRAPH_OPS_MAX = 96 };

enum op_kind {
    OP_CONV, /* convolution without bias, batch norm, ReLU */
    OP_POOL, /* maximum, padding never wins */
    OP_HEAD  /* pool over the map, dropout, logits, mean over time: [N, classes] */
};

struct value {
    char name[32]; /* end point of the paper: "Mixed_3b"; inner ones "Mixed_3b_b1a"; "data" */
    int channels, t, h, w;
};

/* Floats of it in one clip. */
static inline size_t value_floats(const struct value *value)
{
    return (size_t)value->channels * (size_t)value->t * (size_t)value->h * (size_t)value->w;
}

struct op {
    enum op_kind kind;
    char name[32];
    int unit;    /* row of the model's table */
    int in, out; /* values; of OP_HEAD `out` is the pooled features [N, 1024, t', 1, 1] */
    int in_channels, channels, out_channel;
    int kernel[3], stride[3], front[3], back[3]; /* t, h, w; TF SAME padding */
    int size_in[3], size_out[3];                 /* t, h, w */
    int param; /* index of its first parameter: weight, gamma, beta, mean, variance (OP_CONV) or
                  weight, bias (OP_HEAD); -1 for pools */
};

struct graph {
    int value_count, op_count; /* value 0 is the input, in execution order after it */
    struct value values[GRAPH_VALUES_MAX];
    struct op ops[GRAPH_OPS_MAX];
    int classes;
    i3d_head head;
    double bn_epsilon;
};

/* Floats an engine's forward() gives for one clip: the classes, or without an OP_HEAD (a network of
 * one unit) those of its last value. */
size_t graph_output_floats(const struct graph *graph);

/* Unrolls `model` for clips of [channels, t, h, w]. A size must be one stride of the whole network
 * at least (8 frames, 32 x 32): I3D_EINVAL, and the sentence says which is not. */
i3d_status graph_create(const i3d_model *model, int t, int h, int w, struct graph *out);

/* For tests of one operation: a network of one unit, without a head. A convolution with batch norm
 * and ReLU whose parameters are 0..4, or a pool if `channels` is 0. For other networks of a few
 * units see model_create() in model/model.h. */
i3d_status model_create_unit(int in_channels, int channels, const int kernel[3],
                             const int stride[3], i3d_model **out);

/* A multiply-add counts 2. Of one clip, forward. */
double graph_flops(const struct graph *graph);

#endif
