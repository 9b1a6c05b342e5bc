/* Processes that share a piece of work, on one machine or many: those that mpirun or srun started
 * together. Every process makes the same calls in the same order, from one thread. */
#ifndef I3D_COMM_H
#define I3D_COMM_H

#include <i3d/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct comm i3d_comm;

/* Joins the others; of a process that was started alone it is a comm of one. Once in a process. */
I3D_API i3d_status i3d_comm_open(i3d_comm **out);
I3D_API int i3d_comm_rank(const i3d_comm *comm); /* 0 .. size - 1 */
I3D_API int i3d_comm_size(const i3d_comm *comm);

/* What all say of a piece of work: I3D_OK if everyone's `status` is. Else the first process that
 * failed gets its own status and keeps its sentence, the others I3D_EELSEWHERE. */
I3D_API i3d_status i3d_comm_agree(i3d_comm *comm, i3d_status status);

/* To be called by a process that fails where others do not, before it frees anything of the shared
 * work: close() then ends the others too, which would wait for it for ever. */
I3D_API void i3d_comm_abandon(i3d_comm *comm);
I3D_API void i3d_comm_close(i3d_comm *comm); /* NULL is fine */

#ifdef __cplusplus
}
#endif
#endif
