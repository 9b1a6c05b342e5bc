/* A run's folder: its lock, its log and its checkpoints. */
#ifndef I3D_TRAIN_RUN_H
#define I3D_TRAIN_RUN_H

#include <i3d/eval.h>

#include "base/file.h"

struct run {
    char *folder, *checkpoints; /* checkpoints = folder/checkpoints */
    char *stop;                 /* folder/stop */
    struct lock lock;
    FILE *log; /* log.jsonl, a record a line; grows over resumes */
};

/* Makes and locks the folder. One that holds checkpoints is I3D_EINVAL unless `resume`, one that
 * holds none is with it. */
i3d_status run_open(const char *folder, bool resume, struct run *out);
void run_close(struct run *run);

/* Whether somebody put a file "stop" into the folder; and takes it away. */
bool run_stop_asked(const struct run *run);
i3d_status run_stop_done(const struct run *run);

/* Adds one JSON record, given without its newline. */
i3d_status run_log(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The path of "name" among the checkpoints; free it. */
i3d_status run_checkpoint(const struct run *run, const char *name, char **out);

/* Removes all but the `keep` newest of the series. */
i3d_status run_prune(const struct run *run, int keep);

#endif
