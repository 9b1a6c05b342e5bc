/* videos_run(): many videos, each failing for itself. */
#include "store/walk.h"
#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/talk.h"
#include "base/thread.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

struct run {
    const struct videos *videos;
    const char *what;
    video_item item;
    void *context;
    char **reasons;       /* of the videos that failed, NULL for the others */
    pthread_mutex_t lock; /* of what follows */
    long done, finished_before, frames;
    double parts; /* of the videos in hand that are done */
};

/* ---- progress ---- */

struct video_progress {
    struct run *run;
    long frames, expected;
    double part; /* of this video, 0 to 1 */
};

/* Under the run's lock, so that it never goes back. */
static void show(const struct run *run)
{
    double count = (double)run->videos->count;
    talk_progress_in_parts(&(i3d_progress){ .what = run->what,
                                            .done = run->done,
                                            .total = (long)run->videos->count,
                                            .share = ((double)run->done + run->parts) / count,
                                            .skipped = (double)run->finished_before / count,
                                            .frames = run->frames });
}

void video_progress_expect(struct video_progress *progress, long frames)
{
    progress->expected = frames;
}

void video_progress_frame(struct video_progress *progress)
{
    struct run *run = progress->run;
    double part = progress->part;
    if (++progress->frames < progress->expected)
        progress->part = (double)progress->frames / (double)progress->expected;
    pthread_mutex_lock(&run->lock);
    run->frames++;
    run->parts += progress->part - part;
    show(run);
    pthread_mutex_unlock(&run->lock);
}

/* ---- the videos ---- */

static i3d_status run_one(size_t index, int worker, void *context)
{
    struct run *run = context;
    struct video_progress progress = { .run = run };
    i3d_status status = check_interrupt();
    (void)worker;
    if (status != I3D_OK)
        return status;
    status = run->item(&run->videos->items[index], &progress, run->context);
    if (status == I3D_EINTERRUPTED)
        return status;
    bool finished_before = status == I3D_OK && progress.frames == 0;
    if (status != I3D_OK)
        status = memory_string(i3d_error(), &run->reasons[index]);
    pthread_mutex_lock(&run->lock);
    run->done++;
    run->finished_before += finished_before;
    run->parts -= progress.part;
    show(run);
    pthread_mutex_unlock(&run->lock);
    return status;
}

/* As RFC 4180 quotes: always, and quotes doubled. */
static void write_quoted(FILE *stream, const char *text)
{
    fputc('"', stream);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', stream);
        fputc(*text, stream);
    }
    fputc('"', stream);
}

/* Said before the list is written: where the disk is full, the list fails too. */
static void tell_failures(const struct run *run)
{
    for (size_t i = 0; i < run->videos->count; i++) {
        const struct video_file *video = &run->videos->items[i];
        if (run->reasons[i])
            talk("left out '%s/%s': %s", video->class_name, path_name(video->path),
                 run->reasons[i]);
    }
}

static i3d_status write_failures(const struct run *run, const char *path)
{
    struct file_writer writer;
    i3d_status status = file_begin(path, &writer);
    if (status != I3D_OK)
        return status;
    fputs("video,reason\n", writer.stream);
    for (size_t i = 0; i < run->videos->count; i++) {
        const struct video_file *video = &run->videos->items[i];
        if (!run->reasons[i])
            continue;
        write_quoted(writer.stream, video->path);
        fputc(',', writer.stream);
        write_quoted(writer.stream, run->reasons[i]);
        fputc('\n', writer.stream);
    }
    return file_commit(&writer);
}

/* Tells and lists the failures; leaves no list of an earlier run when there are none. */
static i3d_status report(const struct run *run, const char *path, size_t *failed)
{
    for (size_t i = 0; i < run->videos->count; i++)
        *failed += run->reasons[i] != NULL;
    if (*failed) {
        tell_failures(run);
        return write_failures(run, path);
    }
    if (unlink(path) != 0 && errno != ENOENT)
        return failure_errno("cannot remove '%s'", path);
    return I3D_OK;
}

i3d_status videos_run(const struct videos *videos, int jobs, const char *what, video_item item,
                      void *context, const char *failures_path, size_t *failed)
{
    struct run run = { .videos = videos,
                       .what = what,
                       .item = item,
                       .context = context,
                       .lock = PTHREAD_MUTEX_INITIALIZER };
    *failed = 0;
    i3d_status status = memory_get(videos->count, sizeof *run.reasons, &run.reasons);
    if (status != I3D_OK)
        return status;
    show(&run);
    i3d_status stopped = thread_run(videos->count, jobs, run_one, &run);
    status = report(&run, failures_path, failed);
    if (stopped == I3D_EINTERRUPTED)
        status = check_interrupt();
    else if (stopped != I3D_OK)
        status = stopped;
    for (size_t i = 0; i < videos->count; i++)
        memory_free(run.reasons[i]);
    memory_free(run.reasons);
    return status;
}
