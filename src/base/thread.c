#include "base/thread.h"
#include "base/failure.h"
#include "base/memory.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>

int thread_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? count : 1;
}

struct run {
    pthread_mutex_t lock;
    size_t next, count, failed_index;
    i3d_status status;
    char sentence[2048];
    thread_item item;
    void *context;
};

struct worker {
    struct run *run;
    int number;
    pthread_t thread;
};

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct run *run = worker->run;
    for (;;) {
        pthread_mutex_lock(&run->lock);
        size_t index = run->status == I3D_OK && run->next < run->count ? run->next++ : run->count;
        pthread_mutex_unlock(&run->lock);
        if (index == run->count)
            return NULL;
        i3d_status status = run->item(index, worker->number, run->context);
        if (status == I3D_OK)
            continue;
        pthread_mutex_lock(&run->lock);
        if (run->status == I3D_OK || index < run->failed_index) {
            run->status = status;
            run->failed_index = index;
            snprintf(run->sentence, sizeof run->sentence, "%s", i3d_error());
        }
        pthread_mutex_unlock(&run->lock);
    }
}

i3d_status thread_run(size_t count, int workers, thread_item item, void *context)
{
    struct run run = {
        .lock = PTHREAD_MUTEX_INITIALIZER, .count = count, .item = item, .context = context
    };
    struct worker *threads = NULL;
    if (workers <= 0)
        workers = thread_count();
    if ((size_t)workers > count)
        workers = count ? (int)count : 1;
    i3d_status status = memory_get((size_t)workers, sizeof *threads, &threads);
    if (status != I3D_OK)
        return status;
    int started = 1;
    for (int i = 0; i < workers; i++)
        threads[i] = (struct worker){ .run = &run, .number = i };
    /* The caller is worker 0; threads that cannot be started only make it slower. */
    while (started < workers &&
           pthread_create(&threads[started].thread, NULL, work, &threads[started]) == 0)
        started++;
    work(&threads[0]);
    for (int i = 1; i < started; i++)
        pthread_join(threads[i].thread, NULL);
    memory_free(threads);
    pthread_mutex_destroy(&run.lock);
    return run.status == I3D_OK ? I3D_OK : failure(run.status, "%s", run.sentence);
}
