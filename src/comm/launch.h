/* What whoever started this process says about the others. */
#ifndef I3D_COMM_LAUNCH_H
#define I3D_COMM_LAUNCH_H

#include <i3d/status.h>

/* How many processes were started together, this one among them. Only the variables of a launched
 * step count: a shell of sbatch or salloc, which knows of tasks too, is one process. Processes that
 * srun started without PMIx or PMI cannot find each other: I3D_EUNSUPPORTED. */
i3d_status launch_size(int *out);

/* Which of them this one is, as far as the variables tell before anything was opened; 0 alone. */
int launch_rank(void);

#endif
