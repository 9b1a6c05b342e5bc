/* The seam between the network and the machine.
 *
 * An engine is asked once for a plan: layouts, fusion and memory are settled then. After that it
 * only runs; a step allocates nothing and starts no thread. A plan owns what it computes with,
 * where it computes: parameters, their gradients, the optimizer's moments, the batch's statistics.
 * It is used by one thread at a time. */
#ifndef I3D_ENGINE_ENGINE_H
#define I3D_ENGINE_ENGINE_H

#include "engine/optimizer.h"
#include "model/graph.h"
#include "tensor/array.h"

#include <stdbool.h>

enum plan_purpose { PLAN_INFERENCE, PLAN_TRAINING };

/* Adds an array of float64 up over all processes that train together, in place. They make the same
 * calls in the same order. */
struct join {
    i3d_status (*sum)(void *context, struct array array);
    void *context;
};

/* What is asked. */
struct plan_request {
    const struct graph *graph; /* copied; the table of its parameters must outlive the plan */
    int batch;                 /* N, the most clips a call may bring */
    i3d_precision precision;
    enum plan_purpose purpose;
    int device;  /* which of the engine's, from 0; a CPU is 0 */
    int threads; /* 0: one a core */

    /* Training only. `trained`: one flag a parameter, NULL: all true; those of running means and
     * variances do not matter. A parameter that is not trained has no gradient, and nothing before
     * the first trained one is propagated to. `frozen`: one flag an operation, NULL: all false. The
     * norm of a frozen one uses its running statistics, otherwise the batch's. */
    const bool *trained, *frozen;
    struct optimizer optimizer;
    /* With a `sum` the batch's statistics of norms that are not frozen are those of the clips of
     * all processes, and forward() and backward() may be called with no clip of one's own. */
    struct join join;
};

struct plan; /* the engine's own */

/* What a plan owns. The gradients are sums over clips, laid out as the parameters; moments too, of
 * trained parameters only. The statistics are the means and (unbiased) variances that the norms
 * which are not frozen saw in the last training forward(), laid out as the graph says. */
enum plan_array { PLAN_PARAMS, PLAN_GRADIENTS, PLAN_MOMENT_1, PLAN_MOMENT_2, PLAN_STATISTICS };

struct range {
    size_t begin, count; /* floats */
};

/* Called by backward() as soon as gradients are final, from the last operation to the first; what
 * it gives back, if not I3D_OK, ends the pass. */
struct ready {
    i3d_status (*call)(void *context, struct range range);
    void *context;
};

/* One step of the optimizer. */
struct update {
    long step; /* 0, 1, ... of the run */
    double lr;
    double clips;       /* gradients are divided by it; it may differ from the forward pass's where
                           several plans have added theirs up */
    double loss;        /* not finite: the step is skipped */
    double bn_momentum; /* running = (1 - momentum) running + momentum batch */
};

/* Where the time of a forward pass goes. */
struct op_time {
    double seconds;
    const char *kernel; /* what did the work, for people; borrowed from the plan */
};

/* What became of a step. */
struct applied {
    long step;     /* -1: none yet */
    bool skipped;  /* loss, a gradient or statistics were not finite: nothing changed */
    bool rescaled; /* skipped because the loss was scaled too much: the scale has been halved,
                      and nothing is wrong */
    double loss;   /* of that step */
    int param;     /* whose gradient or statistic was not finite, -1 */
    double gradient_norm; /* of all trained parameters, over the clips' mean */
};

struct engine {
    const char *name;        /* "reference", "cpu", "cuda" */
    const char *alias;       /* another name it is found by, or NULL */
    const char *description; /* one line for `i3d doctor` */
    int speed;               /* "auto" takes the highest that is available: 0 the reference, 10 a
                                CPU's, 100 a card's */

    /* I3D_OK or the reason why this machine cannot run it. */
    i3d_status (*available)(void);

    /* What it would run on, for people: its devices, one after the other; NULL: this machine. */
    i3d_status (*about)(char *out, size_t size);
    i3d_status (*plan)(const struct plan_request *request, struct plan **out);

    /* To and from host memory. A new plan has parameters and moments of zero. In inference only
     * parameters can be uploaded, those of whole operations. I3D_EFORMAT: a weight that is folded
     * with its norm is not finite. */
    i3d_status (*upload)(struct plan *plan, enum plan_array array, struct range range,
                         const float *from);
    i3d_status (*download)(struct plan *plan, enum plan_array array, struct range range, float *to);

    /* Gradients or statistics where they are, for a reduction over several plans. */
    struct array (*array)(struct plan *plan, enum plan_array array);

    /* input [count, C, T, H, W] -> logits [count, classes], count <= batch; of a network without a
     * head the logits are its last value, [count, graph_output_floats()]. In training `keep` is
     * the dropout mask [count, 1024, t'] of factors (0 or 1/keep probability), NULL: no dropout.
     * A number that is not finite anywhere makes logits of its clip so, too, in training those of
     * a clip of the batch. What backward() needs is kept until the next forward(). Parameters that
     * changed since the last call are put into the form the machine wants, others are not touched.
     */
    i3d_status (*forward)(struct plan *plan, int count, const float *input, const float *keep,
                          float *logits);

    /* After a training forward(): d(loss)/d(logits) [count, classes] -> the gradients, overwritten.
     * `ready` may be NULL. */
    i3d_status (*backward)(struct plan *plan, const float *logits_gradient,
                           const struct ready *ready);

    /* Gradients to better parameters, and running statistics that follow the batch's. A step that
     * is not finite is skipped as a whole, and is no failure: applied() tells. */
    i3d_status (*apply)(struct plan *plan, const struct update *update);

    /* Or NULL: a whole step where the loss is found there too, in one go and waiting for nothing:
     * forward(), the gradient of the clips' cross-entropy with `labels` [count], backward(),
     * apply(). update.clips is `count`; the loss is not read, applied() tells it. */
    i3d_status (*step)(struct plan *plan, int count, const float *input, const int *labels,
                       const float *keep, const struct update *update);

    /* Of the last step that is known about: on a device that may be the one before the last. */
    i3d_status (*applied)(struct plan *plan, struct applied *out);

    /* For tests and features: value `index` of the graph after forward() as [count, C, T, H, W].
     * Only where the plan keeps it (the reference engine keeps all; the head's pooled features are
     * always there). */
    i3d_status (*read_value)(struct plan *plan, int index, float *out);

    /* A forward() of inference with a clock around each operation of the graph: `times` [op_count].
     * NULL: this engine does not tell. */
    i3d_status (*profile)(struct plan *plan, int count, const float *input, float *logits,
                          struct op_time *times);

    size_t (*memory)(const struct plan *plan); /* bytes the plan holds */
    void (*free)(struct plan *plan);           /* NULL is fine */
};

/* By name or alias; "auto" or NULL: the fastest that is available, built in or a plug-in. */
i3d_status engine_find(const char *name, const struct engine **out);

/* The same for "NAME:N" too, device N of the engine; without one, 0. I3D_EINVAL: N is no number. */
i3d_status engine_find_device(const char *name, const struct engine **out, int *device);

/* The index-th engine; NULL behind the last. Of several of one name only the first is there. */
const struct engine *engine_at(int index);

#endif
