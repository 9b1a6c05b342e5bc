#include "comm/mpi/mpi.h"

#include "base/failure.h"
#include "comm/mpi/runner.h"

#include <mpi.h>
#include <stdlib.h>

/* Each library is started by variables of its own. */
#ifdef OPEN_MPI
#define LIBRARY "Open MPI"
static const char *const variables[] = { "OMPI_COMM_WORLD_RANK", "PMIX_RANK" };
#else
#define LIBRARY "MPICH"
static const char *const variables[] = { "PMI_RANK" };
#endif

static i3d_status available(void)
{
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        if (getenv(variables[i]))
            return I3D_OK;
    return failure(I3D_EUNSUPPORTED,
                   "these processes were started for another MPI than " LIBRARY
                   ", which this program has: start them by its mpirun, or by srun --mpi=pmix");
}

static i3d_status open_mpi(struct comm *out)
{
    *out = (struct comm){ .kind = &comm_mpi };
    return runner_start(&out->rank, &out->size);
}

static i3d_status reduce(struct comm *comm, struct array array)
{
    size_t number;
    (void)comm;
    return runner_post(&(struct job){ .kind = JOB_SUM, .array = array }, &number);
}

static i3d_status wait_all(struct comm *comm)
{
    (void)comm;
    return runner_wait_all();
}

static i3d_status do_now(const struct job *job)
{
    size_t number;
    i3d_status status = runner_post(job, &number);
    return status == I3D_OK ? runner_wait(number) : status;
}

static i3d_status sum(struct comm *comm, struct array array)
{
    (void)comm;
    return do_now(&(struct job){ .kind = JOB_SUM, .array = array });
}

static i3d_status broadcast(struct comm *comm, struct array array, int root)
{
    (void)comm;
    return do_now(&(struct job){ .kind = JOB_BROADCAST, .array = array, .root = root });
}

static i3d_status gather(struct comm *comm, struct array array, int root, struct array out)
{
    if (comm->rank == root && out.kind != MEMORY_HOST)
        return failure(I3D_EUNSUPPORTED, "MPI moves host memory only");
    return do_now(
        &(struct job){ .kind = JOB_GATHER, .array = array, .out = out.data, .root = root });
}

static void abandon(struct comm *comm)
{
    (void)comm;
    runner_abandon();
}

static void close_mpi(struct comm *comm)
{
    (void)comm;
    runner_stop();
}

const struct comm_kind comm_mpi = { .name = "mpi",
                                    .available = available,
                                    .open = open_mpi,
                                    .reduce = reduce,
                                    .wait = wait_all,
                                    .sum = sum,
                                    .broadcast = broadcast,
                                    .gather = gather,
                                    .abandon = abandon,
                                    .close = close_mpi };
