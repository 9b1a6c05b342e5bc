/* The one thread that calls MPI. Jobs are begun in the order in which they are posted and make
 * progress while the poster computes; each process posts the same ones. */
#ifndef I3D_COMM_MPI_RUNNER_H
#define I3D_COMM_MPI_RUNNER_H

#include "tensor/array.h"

#include <i3d/status.h>

enum job_kind { JOB_SUM, JOB_BROADCAST, JOB_GATHER };

struct job {
    enum job_kind kind;
    struct array array;
    void *out; /* of JOB_GATHER */
    int root;
};

/* Starts MPI, in a thread of its own. Once in a process. */
i3d_status runner_start(int *rank, int *size);

/* The job's number: 0, 1, ... */
i3d_status runner_post(const struct job *job, size_t *number);

/* Waits for one job, or for all that were posted. */
i3d_status runner_wait(size_t number);
i3d_status runner_wait_all(void);

/* From now on no job goes on. */
void runner_abandon(void);

/* Ends MPI; after runner_abandon() and with it all processes, this one too. */
void runner_stop(void);

#endif
