/* The Message Passing Interface as a comm: one source for each library that has it, and so one
 * plug-in for each. */
#ifndef I3D_COMM_MPI_MPI_H
#define I3D_COMM_MPI_MPI_H

#include "comm/comm.h"

extern const struct comm_kind comm_mpi;

#endif
