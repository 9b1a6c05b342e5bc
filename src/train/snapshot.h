/* The whole state of a training between two steps, as a checkpoint: weights under MindSpore's
 * names, the optimizer's moments, where the run is, and how the network is to be run. */
#ifndef I3D_TRAIN_SNAPSHOT_H
#define I3D_TRAIN_SNAPSHOT_H

#include <i3d/eval.h>

#include "train/learner.h"

struct snapshot {
    i3d_model *model;
    struct learner *learner; /* NULL: the weights alone, for those who only run them */
    i3d_recipe recipe;
    const char *const *names; /* [classes] */
    int name_count;
    uint64_t seed;
    int processes, clips; /* that train together; of a whole step */
    int before;           /* as many processes trained so far; 0: unknown */
    long step;            /* taken */
    int steps;            /* an epoch */
    int ended;            /* epochs ended, with their validation */
    double best;          /* validation top-1 so far, -1: none */
};

/* `lr` is that of the next step. The weights are the model's: learner_save() brings them there. */
i3d_status snapshot_write(const char *path, const struct snapshot *snapshot, double lr);

/* Into the model and the learner; sets `step`, `ended` and `best`. Another seed or another number
 * of steps an epoch is I3D_EINVAL: the run could not go on as it began. */
i3d_status snapshot_read(const char *path, struct snapshot *snapshot);

#endif
