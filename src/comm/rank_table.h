/* HCCL's rank table, by which the original knew its cards: JSON that names servers, the devices of
 * each and their ranks. Here a device is a process. */
#ifndef I3D_COMM_RANK_TABLE_H
#define I3D_COMM_RANK_TABLE_H

#include <i3d/status.h>

#include <stddef.h>

struct ranked {
    char server[256]; /* a host's name or address */
    int device, rank;
};

struct rank_table {
    struct ranked *ranks; /* [count], by rank, which are 0 .. count - 1 */
    size_t count;
};

/* Every error names the file, what is wrong in it and where. */
i3d_status rank_table_read(const char *path, struct rank_table *out);
void rank_table_clear(struct rank_table *table);

/* The servers of the first `ranks`, as mpirun --host takes them: "a:8,b:8"; free it. */
i3d_status rank_table_hosts(const struct rank_table *table, size_t ranks, char **out);

#endif
