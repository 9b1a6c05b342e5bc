#include "comm/launch.h"

#include "base/failure.h"

#include <stdlib.h>

static int count_of(const char *name)
{
    const char *text = getenv(name);
    int count = text ? atoi(text) : 0;
    return count > 1 ? count : 1;
}

i3d_status launch_size(int *out)
{
    static const char *const names[] = { "OMPI_COMM_WORLD_SIZE", "PMI_SIZE" };
    *out = 1;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (getenv(names[i])) {
            *out = count_of(names[i]);
            return I3D_OK;
        }
    *out = count_of("SLURM_STEP_NUM_TASKS");
    if (*out > 1 && !getenv("PMIX_RANK"))
        return failure(I3D_EUNSUPPORTED,
                       "srun started %d processes without PMIx, so they cannot find each other: "
                       "give srun --mpi=pmix ('srun --mpi=list' says what this Slurm has)",
                       *out);
    return I3D_OK;
}

int launch_rank(void)
{
    static const char *const names[] = { "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK" };
    const char *text = getenv("SLURM_STEP_NUM_TASKS") ? getenv("SLURM_PROCID") : NULL;
    for (size_t i = 0; !text && i < sizeof names / sizeof names[0]; i++)
        text = getenv(names[i]);
    return text ? atoi(text) : 0;
}
