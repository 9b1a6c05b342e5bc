/* What a plan owns, in host memory or a device's: engine.h's arrays, and which parameters changed.
 */
#ifndef I3D_ENGINE_STATE_H
#define I3D_ENGINE_STATE_H

#include "engine/engine.h"

/* How floats come to and from where the arrays are; in host memory they are just copied. */
struct transfer {
    i3d_status (*in)(void *device, void *to, const void *from, size_t bytes);
    i3d_status (*out)(void *device, void *to, const void *from, size_t bytes);
    void *device;
};

struct state {
    const struct graph *graph; /* the plan's */
    struct transfer transfer;
    struct optimizer optimizer;
    float *params; /* [graph.floats], or NULL */

    /* Training only. */
    float *gradients;  /* [graph.floats] */
    float *statistics; /* [graph.statistics] */
    float *moments[OPTIMIZER_MOMENTS_MAX];
    size_t *moment_at; /* one a parameter: where its moments are */
    size_t trained_floats;
    struct join join;
    double *joined; /* [1 + 2 most channels of a norm], for a join ... */
    double *wide;   /* ... and [2 most channels], for what it joins if that is float32 */
    bool *trained;  /* one a parameter; running statistics never are */
    bool frozen[GRAPH_OPS_MAX]; /* also all norms in inference */
    struct applied applied;

    bool changed[GRAPH_PARAMS_MAX]; /* since the engine last looked, and set this to false */
};

/* All but the arrays: an engine that has them elsewhere sets them, and `transfer`, and does what
 * state_apply() does its own way. `graph` is the plan's own copy of the request's. */
i3d_status state_describe(const struct plan_request *request, const struct graph *graph,
                          struct state *out);

/* The arrays in host memory, and their bytes. Without `params` there is no such array: the engine
 * takes them apart where they are uploaded. */
i3d_status state_take(struct state *state, bool params);
size_t state_bytes(const struct state *state, bool params);
void state_clear(struct state *state);

/* Tells the mean and variance that the norm of `op` saw in one channel of `elements`; the variance
 * is biased, and told unbiased, as PyTorch updates running ones. */
void state_tell_statistics(const struct state *state, const struct op *op, int channel,
                           double elements, double mean, double variance);

/* From what a norm saw in each of `*elements` of this plan's to what it saw in those of all
 * processes: mean and biased variance, or two sums. Without a join it is that already. */
i3d_status state_join_statistics(const struct state *state, int channels, double *elements,
                                 double *mean, double *variance);
i3d_status state_join_sums(const struct state *state, int channels, double *elements, double *a,
                           double *b);

/* As the functions of engine.h. */
i3d_status state_upload(struct state *state, enum plan_array array, struct range range,
                        const float *from);
i3d_status state_download(const struct state *state, enum plan_array array, struct range range,
                          float *to);
struct array state_array(const struct state *state, enum plan_array array);
void state_apply(struct state *state, const struct update *update);

/* Of an operation that has a parameter of this role. */
static inline const float *state_param(const struct state *state, const struct op *op,
                                       i3d_param_role role)
{
    return state->params + graph_param(state->graph, op, role)->offset;
}

static inline bool state_is_trained(const struct state *state, const struct op *op,
                                    i3d_param_role role)
{
    return state->trained && op->params[role] >= 0 && state->trained[op->params[role]];
}

/* Where its gradient belongs; NULL: it is not trained. */
static inline float *state_gradient(const struct state *state, const struct op *op,
                                    i3d_param_role role)
{
    if (!state_is_trained(state, op, role))
        return NULL;
    return state->gradients + graph_param(state->graph, op, role)->offset;
}

/* Whether backward() has something to find out about the operation's own parameters. */
static inline bool state_trains(const struct state *state, const struct op *op)
{
    return state->trained && graph_has_any(op, state->trained);
}

/* Tells that the gradients of the operation are final. */
i3d_status state_ready(const struct state *state, const struct op *op, const struct ready *ready);

#endif
