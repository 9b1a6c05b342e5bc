#include "comm/mpi/mpi.h"
#include "plugin/guest.h"

PLUGIN(mpi) = { .abi = PLUGIN_ABI,
                .name = "mpi",
                .start = guest_start,
                .comms = (const struct comm_kind *const[]){ &comm_mpi, NULL } };
