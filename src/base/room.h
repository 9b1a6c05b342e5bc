/* How much memory this process may still take. */
#ifndef I3D_BASE_ROOM_H
#define I3D_BASE_ROOM_H

#include <stdint.h>

/* Bytes: what the machine has available and in swap, its control groups allow and its limits
 * (ulimit) leave, the least of them; UINT64_MAX where nothing tells. `root` stands before /proc and
 * /sys: "" but in tests. */
uint64_t room_left(const char *root);

#endif
