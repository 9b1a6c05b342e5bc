/* One step of training: a batch in, better parameters out. Knows no files and no data sets. */
#ifndef I3D_TRAIN_LEARNER_H
#define I3D_TRAIN_LEARNER_H

#include <i3d/train.h>

#include "comm/comm.h"
#include "engine/engine.h"

/* What the processes add up beside the gradients. */
struct learner_sums {
    double loss, clips;
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
};

struct learner_report {
    int clips;                  /* 0: there were none, and nothing was learnt */
    double loss, gradient_norm; /* where the engine finds the loss, of the step before */
};

/* Plans `model` for training with `options` (engine, precision, batch, clip, prefixes, dropout,
 * optimizer); the moments are zero. `comm` must outlive it. Nothing is allocated after this. */
i3d_status learner_create(i3d_model *model, const i3d_train_options *options, struct comm *comm,
                          struct learner *out);
void learner_clear(struct learner *learner);

/* Step 0, 1, ... of the run, in epoch 0, 1, ...; dropout is keyed by the epoch and the clip's
 * video. A batch without clips changes nothing where it is the only one. A loss or a gradient that
 * is not finite is I3D_EINVAL and leaves the parameters as they were. */
i3d_status learner_step(struct learner *learner, const i3d_batch *batch, long epoch, long step,
                        double lr, struct learner_report *out);

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
