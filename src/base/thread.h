/* Work in parallel: a loop over independent items. */
#ifndef I3D_BASE_THREAD_H
#define I3D_BASE_THREAD_H

#include <i3d/status.h>

#include <stddef.h>

/* Cores this process may use, at least 1. */
int thread_count(void);

/* Does item `index`; `worker` is 0 .. workers-1 and picks the caller's per-worker memory. */
typedef i3d_status (*thread_item)(size_t index, int worker, void *context);

/* Runs all items on `workers` threads (0: one a core), items handed out in order. After a failure
 * no new item starts; the failure of the lowest index is returned, with its sentence. */
i3d_status thread_run(size_t count, int workers, thread_item item, void *context);

#endif
