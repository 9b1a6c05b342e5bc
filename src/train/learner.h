/* One step of training: a batch in, better parameters out. Knows no files and no data sets. */
#ifndef I3D_TRAIN_LEARNER_H
#define I3D_TRAIN_LEARNER_H

#include <i3d/train.h>

#include "engine/engine.h"
#include "train/optimizer.h"

struct learner {
    i3d_model *model;
    const struct engine *engine;
    struct plan *plan;
    struct optimizer optimizer;
    bool *trained;    /* one a parameter */
    bool *bn_running; /* one a parameter: a running statistic to be kept up to date */
    double bn_momentum, dropout_keep;
    uint64_t seed;
    int classes;
    size_t features; /* floats of the dropout mask of one clip */
    float *grads;    /* as the model's data */
    float *logits, *logits_grad, *keep;
};

struct learner_report {
    double loss, grad_norm;
};

/* Plans `model` for training with `options` (engine, precision, batch, clip, prefixes, dropout,
 * optimizer). Nothing is allocated after this. */
i3d_status learner_create(i3d_model *model, const i3d_train_options *options, struct learner *out);
void learner_clear(struct learner *learner);

/* Step 0, 1, ... of the run, in epoch 0, 1, ...; dropout is keyed by the epoch and the clip's
 * video. A batch without clips changes nothing. A loss or a gradient that is not finite is
 * I3D_EINVAL and leaves the parameters as they were. */
i3d_status learner_step(struct learner *learner, const i3d_batch *batch, long epoch, long step,
                        double lr, struct learner_report *out);

#endif
