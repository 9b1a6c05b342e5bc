/* The seam between the network and the machine.
 *
 * An engine is asked once for a plan: layouts, fusion and memory are settled then. After that it
 * only runs; a step allocates nothing. A plan is used by one thread at a time. */
#ifndef I3D_ENGINE_ENGINE_H
#define I3D_ENGINE_ENGINE_H

#include <i3d/engine.h>
#include <i3d/model.h>
#include <i3d/tensor.h>

#include "model/graph.h"

#include <stdbool.h>

struct plan_request {
    const i3d_model *model; /* a loan for the plan's life: parameters are read from its data */
    struct graph graph;
    int batch; /* N, the most clips a call may bring */
    i3d_precision precision;
    bool training;
    int threads; /* 0: one a core */
    /* Training only, one entry a parameter of the model; NULL: all true. A parameter that is not
     * trained gets no gradient, and nothing before the first trained one is propagated to. Entries
     * of running means and variances do not matter. */
    const bool *trained;
    /* Training only, one entry a graph operation; NULL: all false. True: this BN uses its running
     * statistics (a frozen one), otherwise the batch's. */
    const bool *bn_frozen;
};

struct plan; /* the engine's own */

struct engine {
    const char *name;        /* "reference", "onednn", "cuda" */
    const char *description; /* one line for `i3d doctor` */

    /* I3D_OK or the reason why this machine cannot run it. */
    i3d_status (*available)(void);
    i3d_status (*plan)(const struct plan_request *request, struct plan **out);

    /* Takes the model's parameters as they are now. Before the first run, and after each change. */
    i3d_status (*load)(struct plan *plan);

    /* input [count, C, T, H, W] -> logits [count, classes], count <= batch; of a network without a
     * head the logits are its last value, [count, graph_output_floats()]. In training `keep` is
     * the dropout mask [count, 1024, t'] of factors (0 or 1/keep probability), NULL: no dropout.
     * What backward() needs is kept until the next forward(). */
    i3d_status (*forward)(struct plan *plan, int count, const float *input, const float *keep,
                          float *logits);

    /* After a training forward(): d(loss)/d(logits) [count, classes] -> d(loss)/d(parameters), laid
     * out as the model's data, overwritten. The slots of a BN's running mean and variance get the
     * batch's mean and (unbiased) variance, also where the BN is not trained; those of untrained
     * parameters and of frozen BNs are 0. */
    i3d_status (*backward)(struct plan *plan, const float *logits_grad, float *grads);

    /* For tests and features: value `index` of the graph after forward() as [count, C, T, H, W].
     * Only where the plan keeps it (the reference engine keeps all; the head's pooled features are
     * always there). */
    i3d_status (*read_value)(struct plan *plan, int index, float *out);

    size_t (*memory)(const struct plan *plan); /* bytes the plan holds */
    void (*free)(struct plan *plan);           /* NULL is fine */
};

/* The engines built in, fastest first, NULL at the end. */
extern const struct engine *const engines[];

/* By name; "auto" or NULL: the first that is available. */
i3d_status engine_find(const char *name, const struct engine **out);

#endif
