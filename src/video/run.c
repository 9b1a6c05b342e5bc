/* videos_run(): many videos, each failing for itself. */
#include "video/walk.h"
#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/talk.h"
#include "base/thread.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

struct run {
    const struct videos *videos;
    const char *what;
    video_item item;
    void *context;
    char **reasons; /* of the videos that failed, NULL for the others */
    atomic_long done;
};

static i3d_status run_one(size_t index, int worker, void *context)
{
    struct run *run = context;
    i3d_status status = check_interrupt();
    if (status != I3D_OK)
        return status;
    status = run->item(&run->videos->items[index], worker, run->context);
    if (status == I3D_EINTERRUPTED)
        return status;
    if (status != I3D_OK)
        status = memory_string(i3d_error(), &run->reasons[index]);
    talk_progress(run->what, atomic_fetch_add(&run->done, 1) + 1, (long)run->videos->count);
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
static void tell_failures(const struct run *run, size_t failed)
{
    for (size_t i = 0; i < run->videos->count; i++) {
        const struct video_file *video = &run->videos->items[i];
        if (run->reasons[i])
            talk("left out '%s/%s': %s", video->class_name, path_name(video->path),
                 run->reasons[i]);
    }
    talk("%zu of %zu videos were left out; mend or remove them and run the same command again",
         failed, run->videos->count);
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
        tell_failures(run, *failed);
        return write_failures(run, path);
    }
    if (unlink(path) != 0 && errno != ENOENT)
        return failure_errno("cannot remove '%s'", path);
    return I3D_OK;
}

i3d_status videos_run(const struct videos *videos, int jobs, const char *what, video_item item,
                      void *context, const char *failures_path, size_t *failed)
{
    struct run run = { .videos = videos, .what = what, .item = item, .context = context };
    *failed = 0;
    i3d_status status = memory_get(videos->count, sizeof *run.reasons, &run.reasons);
    if (status != I3D_OK)
        return status;
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
