/* The learning rate as a function of the step: nothing to save, nothing to restore. */
#ifndef I3D_TRAIN_SCHEDULE_H
#define I3D_TRAIN_SCHEDULE_H

#include <i3d/train.h>

struct schedule {
    i3d_schedule kind;
    i3d_stream stream;
    double lr, rate;
    long every; /* steps between two changes, I3D_SCHEDULE_STEPS */
    long total; /* steps of the whole run, I3D_SCHEDULE_COSINE */
    bool no_raise;
};

/* The rate of step 0, 1, ... */
double schedule_rate(const struct schedule *schedule, long step);

#endif
