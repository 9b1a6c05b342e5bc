/* Work in parallel: a loop over independent items. */
#ifndef I3D_BASE_THREAD_H
#define I3D_BASE_THREAD_H

#include <i3d/status.h>

#include <stddef.h>

/* Cores this process may use, at least 1. */
int thread_count(void);

/* Does item `index`; `worker` is 0 .. workers-1 and picks the caller's per-worker memory. */
typedef i3d_status (*thread_item)(size_t index, int worker, void *context);

/* Threads that stay, so that no loop has to start any. Runs one loop at a time. */
struct team;

/* `workers` 0: one a core. Of threads that cannot be started the team has fewer. */
i3d_status team_create(int workers, struct team **out);
int team_workers(const struct team *team);
void team_free(struct team *team); /* NULL is fine */

/* Does all items, handed out in order; the caller is worker 0. After a failure no new item starts;
 * the failure of the lowest index is returned, with its sentence. */
i3d_status team_run(struct team *team, size_t count, thread_item item, void *context);

/* The same with a team of its own, of no more workers than items. */
i3d_status thread_run(size_t count, int workers, thread_item item, void *context);

#endif
