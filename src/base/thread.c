#include "base/thread.h"
#include "base/failure.h"
#include "base/memory.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>

int thread_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? count : 1;
}

struct worker {
    struct team *team;
    int number;
    pthread_t thread;
};

struct team {
    pthread_mutex_t lock; /* of everything below */
    pthread_cond_t begin, end;
    unsigned long loop; /* how many loops have begun */
    int busy;           /* workers that have not ended this one */
    bool stop;

    thread_item item;
    void *context;
    size_t next, count, failed_index;
    i3d_status status;
    char sentence[2048];

    int workers; /* the caller of team_run() is one of them */
    struct worker *threads;
};

/* Takes items until there are none; the lock is held at the beginning and at the end. */
static void take_items(struct team *team, int worker)
{
    while (team->status == I3D_OK && team->next < team->count) {
        size_t index = team->next++;
        pthread_mutex_unlock(&team->lock);
        i3d_status status = team->item(index, worker, team->context);
        pthread_mutex_lock(&team->lock);
        if (status != I3D_OK && (team->status == I3D_OK || index < team->failed_index)) {
            team->status = status;
            team->failed_index = index;
            snprintf(team->sentence, sizeof team->sentence, "%s", i3d_error());
        }
    }
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct team *team = worker->team;
    unsigned long done = 0;
    pthread_mutex_lock(&team->lock);
    for (;;) {
        while (!team->stop && team->loop == done)
            pthread_cond_wait(&team->begin, &team->lock);
        if (team->stop)
            break;
        done = team->loop;
        take_items(team, worker->number);
        if (--team->busy == 0)
            pthread_cond_signal(&team->end);
    }
    pthread_mutex_unlock(&team->lock);
    return NULL;
}

i3d_status team_create(int workers, struct team **out)
{
    struct team *team = NULL;
    i3d_status status;
    *out = NULL;
    if (workers <= 0)
        workers = thread_count();
    TRY(memory_get(1, sizeof *team, &team));
    pthread_mutex_init(&team->lock, NULL);
    pthread_cond_init(&team->begin, NULL);
    pthread_cond_init(&team->end, NULL);
    team->workers = 1;
    TRY(memory_get((size_t)workers, sizeof *team->threads, &team->threads));
    for (; team->workers < workers; team->workers++) {
        struct worker *worker = &team->threads[team->workers];
        *worker = (struct worker){ .team = team, .number = team->workers };
        if (pthread_create(&worker->thread, NULL, work, worker) != 0)
            break;
    }
    *out = team;
    team = NULL;
out:
    team_free(team);
    return status;
}

int team_workers(const struct team *team)
{
    return team->workers;
}

void team_free(struct team *team)
{
    if (!team)
        return;
    pthread_mutex_lock(&team->lock);
    team->stop = true;
    pthread_cond_broadcast(&team->begin);
    pthread_mutex_unlock(&team->lock);
    for (int i = 1; i < team->workers; i++)
        pthread_join(team->threads[i].thread, NULL);
    pthread_cond_destroy(&team->begin);
    pthread_cond_destroy(&team->end);
    pthread_mutex_destroy(&team->lock);
    memory_free(team->threads);
    memory_free(team);
}

i3d_status team_run(struct team *team, size_t count, thread_item item, void *context)
{
    pthread_mutex_lock(&team->lock);
    team->item = item;
    team->context = context;
    team->next = 0;
    team->count = count;
    team->status = I3D_OK;
    team->busy = team->workers - 1;
    team->loop++;
    if (team->busy)
        pthread_cond_broadcast(&team->begin);
    take_items(team, 0);
    while (team->busy)
        pthread_cond_wait(&team->end, &team->lock);
    i3d_status status = team->status;
    pthread_mutex_unlock(&team->lock);
    return status == I3D_OK ? status : failure(status, "%s", team->sentence);
}

i3d_status thread_run(size_t count, int workers, thread_item item, void *context)
{
    struct team *team;
    if (workers <= 0)
        workers = thread_count();
    if ((size_t)workers > count)
        workers = count ? (int)count : 1;
    i3d_status status = team_create(workers, &team);
    if (status == I3D_OK)
        status = team_run(team, count, item, context);
    team_free(team);
    return status;
}
