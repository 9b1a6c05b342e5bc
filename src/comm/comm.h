/* Processes that share a piece of work: sums, copies and collections over all of them.
 *
 * Every process makes the same calls in the same order. The order of a sum does not depend on when
 * who arrives: the same number of processes gives the same bits, and all of them get the same. One
 * thread makes all calls. */
#ifndef I3D_COMM_COMM_H
#define I3D_COMM_COMM_H

#include <i3d/comm.h>

#include "tensor/array.h"

struct comm {
    const struct comm_kind *kind;
    int rank, size; /* rank 0 .. size - 1 */
    void *state;    /* the kind's own */
};

struct comm_kind {
    const char *name; /* "self", "mpi", "nccl" */

    /* I3D_OK if this process was started as one of several of this kind; else why not. */
    i3d_status (*available)(void);
    i3d_status (*open)(struct comm *out);

    /* Begins to add `array`, of float32 or float64, up over all processes, in place. It may be
     * neither read nor written before wait(), which ends all sums that were begun. */
    i3d_status (*reduce)(struct comm *comm, struct array array);
    i3d_status (*wait)(struct comm *comm);

    /* The same at once; sums that were begun go on. */
    i3d_status (*sum)(struct comm *comm, struct array array);

    /* The array of process `root`, of bytes (I3D_U8) too, to all. */
    i3d_status (*broadcast)(struct comm *comm, struct array array, int root);

    /* `array` of each process behind one another into `out` of process `root`, size times as long;
     * it is not looked at elsewhere. */
    i3d_status (*gather)(struct comm *comm, struct array array, int root, struct array out);

    /* This process cannot go on: from now on no array of a sum that was begun is touched, and
     * close() ends the others too, which may be waiting for this one. */
    void (*abandon)(struct comm *comm);
    void (*close)(struct comm *comm);
};

/* Joins the processes that this one was started with; alone: a comm of one. Where there are others
 * and no way to talk to them it is I3D_EUNSUPPORTED. */
i3d_status comm_open(struct comm *out);

/* A comm of one, whatever the process was started as. */
struct comm comm_self(void);

static inline i3d_status comm_reduce(struct comm *comm, struct array array)
{
    return comm->kind->reduce(comm, array);
}

static inline i3d_status comm_wait(struct comm *comm)
{
    return comm->kind->wait(comm);
}

static inline i3d_status comm_sum(struct comm *comm, struct array array)
{
    return comm->kind->sum(comm, array);
}

static inline i3d_status comm_broadcast(struct comm *comm, struct array array, int root)
{
    return comm->kind->broadcast(comm, array, root);
}

/* I3D_EINVAL where `out` is not of `size` times as many numbers. */
i3d_status comm_gather(struct comm *comm, struct array array, int root, struct array out);

/* Host memory of `bytes` for broadcast and gather. */
static inline struct array array_of_bytes(void *data, size_t bytes)
{
    return (struct array){ .data = data, .count = bytes, .dtype = I3D_U8 };
}

/* Zeroed memory is closed. */
void comm_close(struct comm *comm);

#endif
