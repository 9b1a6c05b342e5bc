/* What a plan's passes do with each operation, and when: the same for every engine that plans. */
#ifndef I3D_ENGINE_PASSES_H
#define I3D_ENGINE_PASSES_H

#include "engine/state.h"

/* How an operation is run. */
struct op_decision {
    bool frozen;          /* norm by running statistics, or none */
    bool fused;           /* norm and ReLU are part of the convolution */
    bool backward;        /* backward() comes by: something here or before is trained */
    bool adds, adds_with; /* its gradients for `in`, `with` go on top of a later step's */
};

/* Of the graph of `state`: `ops` [op_count], and `wanted` [value_count], false before: whether a
 * value's gradient is. */
void passes_choose(const struct state *state, struct op_decision *ops, bool *wanted);

/* Time is counted in steps: forward() passes step i at i and backward() at 2 * steps - 1 - i. */
static inline int forward_time(int step)
{
    return step;
}

static inline int backward_time(const struct graph *graph, int step)
{
    return 2 * graph->op_count - 1 - step;
}

static inline int later(int a, int b)
{
    return a > b ? a : b;
}

#endif
