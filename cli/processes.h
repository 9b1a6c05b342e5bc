/* The processes that run this command together, as mpirun or srun started them. */
#ifndef CLI_PROCESSES_H
#define CLI_PROCESSES_H

#include "option.h"

#include <i3d/comm.h>

struct processes {
    i3d_comm *comm;
    int rank, size;
    int threads; /* a fair share of the machine's cores; 0: this process is alone */
};

/* Finds the others, and says where each is. From now on the first speaks for all: of the others
 * only failures and what only they see come to stderr, under their number, and SIGTERM ends a
 * process at once. Others of another version are refused. */
i3d_status processes_begin(const struct options *options, struct processes *out);

/* `text`, lines of "name: value", is that of the first process everywhere; else I3D_EINVAL names
 * the first line that differs. */
i3d_status processes_compare(struct processes *processes, const char *text);

/* The options that have to be the same everywhere, as such lines; free them. */
i3d_status processes_describe(const struct options *options, char **out);

/* What a command gives back, after its last word on `status`: a process that failed ends all. */
int processes_end(struct processes *processes, i3d_status status);

#endif
