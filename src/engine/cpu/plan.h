/* A plan: every operation of the graph as a step, every value with its place in the arena.
 *
 * Inference takes the clips of a batch one by one, so that a branch's channels of a concatenation
 * lie together and a convolution writes them where they belong; the batch norms are in the weights.
 * Training takes the whole batch: convolutions write a buffer of their own, and the batch norm
 * behind them writes the value. Steps in front of everything that is trained, with frozen batch
 * norms, run as in inference. */
#ifndef I3D_ENGINE_CPU_PLAN_H
#define I3D_ENGINE_CPU_PLAN_H

#include "engine/arena.h"
#include "engine/cpu/convolution.h"
#include "engine/cpu/kernels.h"
#include "engine/engine.h"
#include "engine/passes.h"
#include "engine/head.h"
#include "engine/state.h"

/* What was decided before anything was made for it. */
struct decision {
    struct graph graph;
    enum isa isa;
    const struct kernels *kernels;
    int batch;
    int samples; /* of a pass: 1 in inference, the batch in training */
    int threads;
    bool training;
    struct op_decision ops[GRAPH_OPS_MAX];
    bool wanted[GRAPH_VALUES_MAX]; /* its gradient is */
};

struct step {
    const struct op *op;
    const struct op_decision *decided;
    struct convolution convolution;
    struct norm_factors norm;
    struct norm_sums sums;

    /* Spans of the arena, -1: none. */
    int raw;    /* what the convolution gives, then the gradient of that */
    int winner; /* of a pool */
    int forward_scratch, backward_scratch, addend;
};

/* What runs. */
struct plan {
    struct decision decided;
    struct state state; /* in inference without parameters: they are in the steps ... */
    float *logits_weight, *logits_bias; /* ... and here */

    struct step steps[GRAPH_OPS_MAX];
    struct arena arena;
    int values[GRAPH_VALUES_MAX], gradients[GRAPH_VALUES_MAX]; /* spans, -1: none */
    int load_scratch;

    int first;                                  /* clip of the pass at hand */
    const float *input;                         /* its clips, where value 0 has no span */
    float *features, *features_gradient, *keep; /* [batch, channels, t'] of an OP_HEAD */
    int count;                                  /* clips of the last forward() */
    bool overflowed;                            /* in the pass at hand, and a ReLU may hide it */
    struct op_time *times;                      /* [op_count] while profile() runs, else NULL */
    bool keep_given;                            /* in the last forward() */
};

static inline const struct op *plan_last(const struct plan *plan)
{
    return &plan->decided.graph.ops[plan->decided.graph.op_count - 1];
}

/* Channels in whole blocks, and elements of a value in one clip as they lie in memory. */
static inline int whole_blocks(const struct plan *plan, int channels)
{
    int lanes = plan->decided.kernels->lanes;
    return (channels + lanes - 1) / lanes * lanes;
}

size_t plan_elements(const struct plan *plan, int value);

/* A clip whose channels are no multiple of the lanes stays row-major. */
static inline bool is_row_major(const struct plan *plan, int value)
{
    return value == 0 && plan->decided.graph.values[0].channels % plan->decided.kernels->lanes != 0;
}

/* Channels of a value from `channel` on, of its data or its gradient. */
struct slice plan_value(const struct plan *plan, int value, int channel, int channels);
struct slice plan_gradient(const struct plan *plan, int value, int channel, int channels);

/* What a convolution reads: a value, or the caller's clips. */
const void *plan_source(const struct plan *plan, int value);

/* The buffer a convolution's batch norm reads. */
struct slice plan_raw(const struct plan *plan, const struct step *step);
struct head plan_head(const struct plan *plan, const struct op *op);

/* decide.c: how each operation of the request is run. `state` says what is trained. */
i3d_status plan_decide(const struct plan_request *request, struct plan *plan);

/* plan.c: makes everything for the request; brings parameters into it. */
i3d_status plan_create(const struct plan_request *request, struct plan **out);
i3d_status plan_upload(struct plan *plan, enum plan_array array, struct range range,
                       const float *from);
i3d_status plan_load_changed(struct plan *plan);
size_t plan_bytes(const struct plan *plan); /* that it holds, as far as is known */
void plan_free(struct plan *plan);

/* layout.c: finds all that lies between steps its place in the arena, then that together with what
 * the convolutions, which must be there, need for a while. */
i3d_status plan_lay_out(struct plan *plan);
i3d_status plan_lay_out_scratch(struct plan *plan);

/* forward.c, backward.c: as in engine.h; plan_step() runs one step of the pass at hand. */
i3d_status plan_forward(struct plan *plan, int count, const float *input, const float *keep,
                        float *logits);
i3d_status plan_step(struct plan *plan, struct step *step, int count);
i3d_status plan_backward(struct plan *plan, const float *logits_gradient,
                         const struct ready *ready);

#endif
