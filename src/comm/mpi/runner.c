#include "comm/mpi/runner.h"

#include "base/failure.h"

#include <limits.h>
#include <mpi.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    JOBS_MAX = 256,    /* under way at a time */
    SPINS = 2000,      /* looks without a pause while somebody waits */
    PAUSE_NS = 100000, /* between two looks while the poster computes: it needs the core ... */
    SHORT_NS = 10000,  /* ... and while it has waited for long */
    SENTENCE_BYTES = 512
};

/* A job under way. */
struct slot {
    struct job job;
    MPI_Request request;
    bool ended;
};

/* MPI is one in a process, and so is what calls it. */
static struct {
    pthread_t thread;
    pthread_mutex_t lock; /* of everything below but what is the thread's */
    pthread_cond_t changed;
    int rank, size;
    bool known;                   /* rank and size are */
    size_t posted, begun, passed; /* jobs; those before `passed` have ended */
    int waiting;                  /* posters in runner_wait() */
    bool stop, abandoned, working;
    i3d_status status; /* the first failure, for all jobs from then on */
    char sentence[SENTENCE_BYTES];
    struct slot slots[JOBS_MAX]; /* job n in n % JOBS_MAX; the thread's while it is under way */

    MPI_Comm world; /* the thread's */
} runner = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static struct slot *slot_of(size_t number)
{
    return &runner.slots[number % JOBS_MAX];
}

/* Keeps the first failure. */
static void note(const char *what, int code)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int length;
    MPI_Error_string(code, text, &length);
    pthread_mutex_lock(&runner.lock);
    if (runner.status == I3D_OK) {
        runner.status = I3D_EIO;
        snprintf(runner.sentence, sizeof runner.sentence,
                 "process %d of %d: %s failed: %s; has another one ended?", runner.rank,
                 runner.size, what, text);
    }
    pthread_cond_broadcast(&runner.changed);
    pthread_mutex_unlock(&runner.lock);
}

static MPI_Datatype type_of(const struct array *array)
{
    switch (array->dtype) {
    case I3D_F32:
        return MPI_FLOAT;
    case I3D_F64:
        return MPI_DOUBLE;
    default:
        return MPI_BYTE;
    }
}

static void begin(struct slot *slot)
{
    const struct job *job = &slot->job;
    MPI_Datatype type = type_of(&job->array);
    int code = MPI_SUCCESS, count = (int)job->array.count;
    switch (job->kind) {
    case JOB_SUM:
        code = MPI_Iallreduce(MPI_IN_PLACE, job->array.data, count, type, MPI_SUM, runner.world,
                              &slot->request);
        break;
    case JOB_BROADCAST:
        code = MPI_Ibcast(job->array.data, count, type, job->root, runner.world, &slot->request);
        break;
    case JOB_GATHER:
        code = MPI_Igather(job->array.data, count, type, job->out, count, type, job->root,
                           runner.world, &slot->request);
        break;
    }
    if (code != MPI_SUCCESS)
        note("MPI", code);
}

/* Whether a job has ended that had not. */
static bool look(size_t first, size_t end)
{
    bool any = false;
    for (size_t n = first; n < end; n++) {
        struct slot *slot = slot_of(n);
        int ended = 0;
        if (slot->ended)
            continue;
        int code = MPI_Test(&slot->request, &ended, MPI_STATUS_IGNORE);
        if (code != MPI_SUCCESS)
            note("MPI", code);
        if (!ended)
            continue;
        pthread_mutex_lock(&runner.lock);
        slot->ended = true;
        pthread_mutex_unlock(&runner.lock);
        any = true;
    }
    return any;
}

static void pause_for(long nanoseconds)
{
    nanosleep(&(struct timespec){ .tv_nsec = nanoseconds }, NULL);
}

/* After a look in vain: spins for somebody who waits, and leaves the core to somebody who computes.
 */
static void rest(bool waited_for, int looks)
{
    if (!waited_for)
        pause_for(PAUSE_NS);
    else if (looks < SPINS)
        sched_yield();
    else
        pause_for(SHORT_NS);
}

/* One round over the jobs under way; the lock is held at the beginning and at the end. */
static void go_on(int *looks)
{
    size_t first = runner.passed, begun = runner.begun, posted = runner.posted;
    bool waited_for = runner.waiting > 0;
    runner.begun = posted;
    runner.working = true;
    pthread_mutex_unlock(&runner.lock);
    for (size_t n = begun; n < posted; n++)
        begin(slot_of(n));
    bool any = look(first, posted);
    *looks = any || begun < posted ? 0 : *looks + 1;
    if (*looks)
        rest(waited_for, *looks);
    pthread_mutex_lock(&runner.lock);
    while (runner.passed < posted && slot_of(runner.passed)->ended)
        runner.passed++;
    runner.working = false;
    if (any || runner.abandoned)
        pthread_cond_broadcast(&runner.changed);
}

static void serve(void)
{
    int looks = 0;
    pthread_mutex_lock(&runner.lock);
    for (;;) {
        bool idle = runner.passed == runner.posted || runner.status != I3D_OK || runner.abandoned;
        if (runner.stop && idle)
            break;
        if (idle)
            pthread_cond_wait(&runner.changed, &runner.lock);
        else
            go_on(&looks);
    }
    pthread_mutex_unlock(&runner.lock);
}

static void introduce(int code)
{
    int rank = 0, size = 1;
    if (code == MPI_SUCCESS)
        code = MPI_Comm_dup(MPI_COMM_WORLD, &runner.world);
    if (code == MPI_SUCCESS) {
        MPI_Comm_set_errhandler(runner.world, MPI_ERRORS_RETURN);
        MPI_Comm_rank(runner.world, &rank);
        MPI_Comm_size(runner.world, &size);
    }
    if (code != MPI_SUCCESS)
        note("starting MPI", code);
    pthread_mutex_lock(&runner.lock);
    runner.rank = rank;
    runner.size = size;
    runner.known = true;
    pthread_cond_broadcast(&runner.changed);
    pthread_mutex_unlock(&runner.lock);
}

static void *run(void *argument)
{
    int level;
    (void)argument;
    introduce(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level));
    serve();
    if (runner.abandoned || runner.status != I3D_OK)
        MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Comm_free(&runner.world);
    MPI_Finalize();
    return NULL;
}

/* The first failure, in the thread that asks. */
static i3d_status tell(i3d_status status)
{
    return status == I3D_OK ? status : failure(status, "%s", runner.sentence);
}

i3d_status runner_start(int *rank, int *size)
{
    sigset_t all, before;
    if (runner.known)
        return failure(I3D_EINVAL, "MPI can be started once in a process only");
    /* A signal is for the thread that can say something. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&runner.thread, NULL, run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0)
        return failure(I3D_EIO, "cannot start a thread for MPI: %s", strerror(code));
    pthread_mutex_lock(&runner.lock);
    while (!runner.known)
        pthread_cond_wait(&runner.changed, &runner.lock);
    *rank = runner.rank;
    *size = runner.size;
    i3d_status status = runner.status;
    pthread_mutex_unlock(&runner.lock);
    return tell(status);
}

static i3d_status check(const struct job *job)
{
    bool number = job->array.dtype == I3D_F32 || job->array.dtype == I3D_F64;
    if (job->array.kind != MEMORY_HOST)
        return failure(I3D_EUNSUPPORTED, "MPI moves host memory only");
    if (!number && (job->kind == JOB_SUM || job->array.dtype != I3D_U8))
        return failure(I3D_EINVAL, "only float32 and float64 are added up, and bytes moved too");
    if (job->array.count > INT_MAX)
        return failure(I3D_EINVAL, "%zu numbers are too many for one message", job->array.count);
    if (job->root < 0 || job->root >= runner.size)
        return failure(I3D_EINVAL, "there is no process %d of %d", job->root, runner.size);
    return I3D_OK;
}

i3d_status runner_post(const struct job *job, size_t *number)
{
    i3d_status status;
    TRY(check(job));
    pthread_mutex_lock(&runner.lock);
    runner.waiting++;
    while (runner.status == I3D_OK && runner.posted - runner.passed == JOBS_MAX)
        pthread_cond_wait(&runner.changed, &runner.lock);
    runner.waiting--;
    *number = runner.posted;
    *slot_of(*number) = (struct slot){ .job = *job, .request = MPI_REQUEST_NULL };
    if (runner.status == I3D_OK)
        runner.posted++;
    status = runner.status;
    pthread_cond_broadcast(&runner.changed);
    pthread_mutex_unlock(&runner.lock);
    status = tell(status);
out:
    return status;
}

static bool has_ended(size_t number)
{
    return number < runner.passed || slot_of(number)->ended;
}

i3d_status runner_wait(size_t number)
{
    pthread_mutex_lock(&runner.lock);
    runner.waiting++;
    while (runner.status == I3D_OK && !has_ended(number))
        pthread_cond_wait(&runner.changed, &runner.lock);
    runner.waiting--;
    i3d_status status = runner.status;
    pthread_mutex_unlock(&runner.lock);
    return tell(status);
}

i3d_status runner_wait_all(void)
{
    pthread_mutex_lock(&runner.lock);
    runner.waiting++;
    while (runner.status == I3D_OK && runner.passed < runner.posted)
        pthread_cond_wait(&runner.changed, &runner.lock);
    runner.waiting--;
    i3d_status status = runner.status;
    pthread_mutex_unlock(&runner.lock);
    return tell(status);
}

void runner_abandon(void)
{
    pthread_mutex_lock(&runner.lock);
    runner.abandoned = true;
    pthread_cond_broadcast(&runner.changed);
    while (runner.working)
        pthread_cond_wait(&runner.changed, &runner.lock);
    pthread_mutex_unlock(&runner.lock);
}

void runner_stop(void)
{
    pthread_mutex_lock(&runner.lock);
    runner.stop = true;
    pthread_cond_broadcast(&runner.changed);
    pthread_mutex_unlock(&runner.lock);
    pthread_join(runner.thread, NULL);
}
