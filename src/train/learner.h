/* One step of training: a batch in, better parameters out. Knows no files and no data sets. */
#ifndef I3D_TRAIN_LEARNER_H
#define I3D_TRAIN_LEARNER_H

#include <i3d/train.h>

#include "comm/comm.h"
#include "engine/engine.h"

/* What the parts of a step add up to beside gradients and statistics. */
struct learner_sums {
    double loss, clips;
    double stop; /* processes that were asked to stop */
};

/* Gradients whose sum over all processes is begun at once: of whole operations, side by side. */
enum { BUCKETS_MAX = 64 };
struct bucket {
    struct range range;
    size_t floats, missing; /* trained ones, and those of them that are not final yet */
};

struct learner {
    i3d_model *model;
    struct comm *comm;
    const struct engine *engine;
    struct plan *plan;
    struct graph graph;
    struct optimizer optimizer;
    bool *trained; /* one a parameter */
    bool frozen[GRAPH_OPS_MAX];
    double bn_momentum, dropout_keep, lr; /* lr: of the last step */
    uint64_t seed;
    size_t features; /* floats of the dropout mask of one clip */
    float *logits, *logits_gradient, *keep;
    struct learner_sums sums;
    const i3d_batch *there; /* of a step that the engine takes as a whole, and its epoch */
    long epoch;

    bool joins;        /* norms see the clips of all processes */
    int parts;         /* of a step, at most ... */
    int part;          /* ... and those that were added */
    float *earlier;    /* gradients of the parts before the last, [graph.floats]; one part: NULL */
    float *statistics; /* of all parts, each times its clips, [graph.statistics]; NULL: they are
                          those of the only part */
    struct bucket buckets[BUCKETS_MAX]; /* from the last layer on */
    int bucket_count, begun;
};

struct learner_report {
    long step; /* the one that is told about: of a failure it may be an earlier one */
    int clips; /* 0: there were none, and nothing was learnt */
    double loss, gradient_norm; /* where the engine finds the loss, of the step before */
    bool stop;                  /* some process was asked to */
};

/* Plans `model` for training with `options` (engine, precision, batch, clip, prefixes, dropout,
 * optimizer); the moments are zero. `comm` must outlive it. Nothing is allocated after this. */
i3d_status learner_create(i3d_model *model, const i3d_train_options *options, struct comm *comm,
                          struct learner *out);
void learner_clear(struct learner *learner);

/* Adds a batch to the step: up to `parts` of them, the last one marked, whose gradients are added
 * up over all processes while they are computed. Dropout is keyed by the epoch and the clip's
 * video. A batch may be without clips. A failure gives the comm up. */
i3d_status learner_add(struct learner *learner, const i3d_batch *batch, long epoch, bool last);

/* Step 0, 1, ... of the run, after its last part; `stop`: this process was asked to. Without clips
 * anywhere it changes nothing. A loss or a gradient that is not finite is I3D_EINVAL and leaves the
 * parameters as they were. */
i3d_status learner_step(struct learner *learner, long step, double lr, bool stop,
                        struct learner_report *out);

/* Parameters and moments of the first process to all. */
i3d_status learner_share(struct learner *learner);

size_t learner_trained_floats(const struct learner *learner);

/* Parameters from the plan into the model, and back after the model was changed. */
i3d_status learner_save(struct learner *learner);
i3d_status learner_load(struct learner *learner);

/* Moment 0, 1, ... of a trained parameter, [param.count]. */
i3d_status learner_read_moment(struct learner *learner, int moment, const i3d_param *param,
                               float *out);
i3d_status learner_write_moment(struct learner *learner, int moment, const i3d_param *param,
                                const float *from);

#endif
