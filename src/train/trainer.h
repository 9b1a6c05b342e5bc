/* The inside of a trainer. */
#ifndef I3D_TRAIN_TRAINER_H
#define I3D_TRAIN_TRAINER_H

#include <i3d/train.h>

#include "train/learner.h"
#include "train/run.h"
#include "train/schedule.h"
#include "train/snapshot.h"

struct i3d_trainer {
    const i3d_train_options *options;
    const i3d_dataset *training, *validation;
    i3d_model *model;
    struct run run; /* of the first process */
    i3d_comm *comm;
    struct comm alone; /* `comm` of one that trains alone */
    struct learner learner;
    struct schedule schedule;
    struct snapshot state; /* where the run is */
    i3d_loader *loader, *validation_loader;
    const char **names;
    struct learner_report last; /* of the last step that had clips */
    double saved;               /* when, in seconds */
    bool stopped;               /* as asked */
};

/* Files and talk are one process's. */
static inline bool is_first(const i3d_trainer *trainer)
{
    return trainer->comm->rank == 0;
}

/* Where the run is, counted from 1 as users see it: after no step, step 0 of epoch 1. */
static inline int epoch_of(const struct snapshot *state)
{
    return state->step ? (int)((state->step - 1) / state->steps) + 1 : 1;
}

static inline int step_of(const struct snapshot *state)
{
    return state->step ? (int)((state->step - 1) % state->steps) + 1 : 0;
}

/* Scores the validation videos, and keeps the weights if they are the best so far. A wish to stop
 * breaks it off: `stopped`. */
i3d_status trainer_validate(i3d_trainer *trainer);

#endif
