#include "comm/comm.h"

#include "base/failure.h"
#include "base/memory.h"
#include "comm/launch.h"
#include "plugin/plugin.h"

#include <stdbool.h>

/* Of the ways to talk to other processes the first that these were started by. */
static i3d_status find_kind(int size, const struct comm_kind **out)
{
    const struct plugin *plugin;
    *out = NULL;
    for (size_t p = 0; (plugin = plugin_at(PLUGIN_COMM, p)) != NULL; p++)
        for (size_t k = 0; plugin->comms && plugin->comms[k]; k++) {
            *out = plugin->comms[k];
            if ((*out)->available() == I3D_OK)
                return I3D_OK;
        }
    if (*out) /* and it has said why not */
        return I3D_EUNSUPPORTED;
    return failure(I3D_EUNSUPPORTED,
                   "this is one of %d processes that were started together, and the "
                   "program has no comm-*.so to talk to the others: build it where "
                   "Open MPI (libopenmpi-dev) or MPICH (libmpich-dev) is installed",
                   size);
}

i3d_status comm_open(struct comm *out)
{
    i3d_status status;
    int size;
    const struct comm_kind *kind = NULL;
    *out = comm_self();
    TRY(launch_size(&size));
    if (size == 1)
        return I3D_OK;
    TRY(find_kind(size, &kind));
    TRY(kind->open(out));
out:
    return status;
}

i3d_status comm_gather(struct comm *comm, struct array array, int root, struct array out)
{
    size_t wanted = array.count * (size_t)comm->size;
    if (comm->rank == root && (out.dtype != array.dtype || out.count != wanted))
        return failure(I3D_EINVAL, "%zu numbers of %d processes do not fill %zu", array.count,
                       comm->size, out.count);
    return comm->kind->gather(comm, array, root, out);
}

void comm_close(struct comm *comm)
{
    if (comm->kind)
        comm->kind->close(comm);
    *comm = (struct comm){ 0 };
}

i3d_status i3d_comm_open(i3d_comm **out)
{
    i3d_status status;
    TRY(memory_get(1, sizeof **out, out));
    TRY(comm_open(*out));
out:
    if (status != I3D_OK) {
        memory_free(*out);
        *out = NULL;
    }
    return status;
}

int i3d_comm_rank(const i3d_comm *comm)
{
    return comm->rank;
}

int i3d_comm_size(const i3d_comm *comm)
{
    return comm->size;
}

/* The first process that failed, or the comm's size: a sum has a flag for each of some at a time.
 */
static i3d_status find_failed(struct comm *comm, bool failed, int *out)
{
    enum { SOME = 64 };
    i3d_status status = I3D_OK;
    *out = comm->size;
    for (int first = 0; first < comm->size; first += SOME) {
        double flags[SOME] = { 0 };
        if (failed && comm->rank / SOME == first / SOME)
            flags[comm->rank - first] = 1;
        TRY(comm_sum(comm, (struct array){ .data = flags, .count = SOME, .dtype = I3D_F64 }));
        for (int i = SOME; i-- > 0;)
            if (flags[i] != 0 && first + i < *out)
                *out = first + i;
    }
out:
    return status;
}

i3d_status i3d_comm_agree(i3d_comm *comm, i3d_status status)
{
    int first;
    if (comm->size == 1)
        return status;
    i3d_status summed = find_failed(comm, status != I3D_OK, &first);
    if (summed != I3D_OK)
        return summed;
    if (first == comm->size || first == comm->rank)
        return status;
    return failure(I3D_EELSEWHERE, "process %d of %d failed, and says why", first, comm->size);
}

void i3d_comm_abandon(i3d_comm *comm)
{
    comm->kind->abandon(comm);
}

void i3d_comm_close(i3d_comm *comm)
{
    if (comm)
        comm_close(comm);
    memory_free(comm);
}
