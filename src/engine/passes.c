#include "engine/passes.h"

void passes_choose(const struct state *state, struct op_decision *ops, bool *wanted)
{
    const struct graph *graph = state->graph;
    bool written[GRAPH_VALUES_MAX] = { false };
    for (int i = 0; i < graph->op_count; i++) {
        const struct op *op = &graph->ops[i];
        bool frozen = state->frozen[i] || !op->norm;
        bool before = wanted[op->in] || (op->with >= 0 && wanted[op->with]);
        bool backward = before || state_trains(state, op);
        ops[i] = (struct op_decision){ .frozen = frozen,
                                       .backward = backward,
                                       .fused = op->kind == OP_CONV && frozen && !backward };
        wanted[op->out] |= backward;
    }
    for (int i = graph->op_count - 1; i >= 0; i--) {
        const struct op *op = &graph->ops[i];
        if (wanted[op->in]) {
            ops[i].adds = written[op->in];
            written[op->in] = true;
        }
        if (op->with >= 0 && wanted[op->with]) {
            ops[i].adds_with = written[op->with];
            written[op->with] = true;
        }
    }
}
