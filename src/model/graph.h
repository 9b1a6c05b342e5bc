/* The network as operations: what an engine plans and an exporter writes.
 *
 * A value is an activation of [N, channels, t, h, w]. An operation reads one value, or two, and
 * writes channels [out_channel, out_channel + channels) of another: a concatenation is four
 * operations that write side by side, so it costs nothing where the engine's layout allows that. */
#ifndef I3D_MODEL_GRAPH_H
#define I3D_MODEL_GRAPH_H

#include <i3d/model.h>

enum { GRAPH_VALUES_MAX = 64, GRAPH_OPS_MAX = 96, GRAPH_PARAMS_MAX = GRAPH_OPS_MAX * 5 };

enum op_kind {
    OP_CONV, /* convolution, then batch norm or a bias, then ReLU */
    OP_POOL, /* maximum, padding never wins */
    OP_ADD,  /* the sum of two values, ReLU */
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
    int in, with; /* values it reads; `with` of OP_ADD only, else -1 */
    int out;      /* the value it writes; of OP_HEAD the pooled features [N, 1024, t', 1, 1] */
    int in_channels, channels, out_channel;
    bool norm, relu;                             /* of OP_CONV; `relu` of OP_ADD too */
    int kernel[3], stride[3], front[3], back[3]; /* t, h, w; TF SAME padding */
    int size_in[3], size_out[3];                 /* t, h, w */
    int params[I3D_PARAM_ROLES];                 /* by role, in the graph's table; -1: none */
    size_t statistics; /* with a norm: where the batch's mean [channels] is among the graph's
                          statistics, the variance [channels] behind it */
};

struct graph {
    int value_count, op_count; /* value 0 is the input, in execution order after it */
    struct value values[GRAPH_VALUES_MAX];
    struct op ops[GRAPH_OPS_MAX];
    const i3d_param *params; /* borrowed from the model, in the order of the operations */
    int param_count;
    size_t floats;     /* of all parameters, side by side */
    size_t statistics; /* floats that a batch's statistics take */
    int classes;
    i3d_head head;
    double bn_epsilon;
};

/* The parameter that has this role in the operation, or NULL. */
static inline const i3d_param *graph_param(const struct graph *graph, const struct op *op,
                                           i3d_param_role role)
{
    return op->params[role] < 0 ? NULL : &graph->params[op->params[role]];
}

/* Positions of a window, floats of its weight, and positions of the result in one clip. */
static inline size_t op_taps(const struct op *op)
{
    return (size_t)op->kernel[0] * (size_t)op->kernel[1] * (size_t)op->kernel[2];
}

static inline size_t op_weight_floats(const struct op *op)
{
    return (size_t)op->channels * (size_t)op->in_channels * op_taps(op);
}

static inline size_t op_map(const struct op *op)
{
    return (size_t)op->size_out[0] * (size_t)op->size_out[1] * (size_t)op->size_out[2];
}

/* Whether one of the operation's parameters is among the `chosen`, one flag a parameter. */
bool graph_has_any(const struct op *op, const bool *chosen);

/* Floats an engine's forward() gives for one clip: the classes, or without an OP_HEAD (a network of
 * one unit) those of its last value. */
size_t graph_output_floats(const struct graph *graph);

/* The network of `model`, which must outlive it, for clips of [channels, t, h, w]. A size must be
 * one stride of the whole network at least (8 frames, 32 x 32): I3D_EINVAL, and the sentence says
 * which is not. */
i3d_status graph_create(const i3d_model *model, int t, int h, int w, struct graph *out);

/* For tests of one operation: a network of one unit, without a head. A convolution with batch norm
 * and ReLU, or a pool if `channels` is 0. For other networks of a few units see model_create() in
 * model/model.h. */
i3d_status model_create_unit(int in_channels, int channels, const int kernel[3],
                             const int stride[3], i3d_model **out);

/* A multiply-add of a convolution done directly, or of the logits, counts 2. Of one clip, forward.
 */
double op_flops(const struct graph *graph, const struct op *op);
double graph_flops(const struct graph *graph);

#endif
