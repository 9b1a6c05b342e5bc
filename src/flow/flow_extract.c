#include "flow/flow_extract.h"
#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"
#include "base/thread.h"
#include "flow/flow.h"
#include "store/walk.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

struct extraction {
    struct flow_extract request;
    const char *target;
    atomic_long frames;
    atomic_size_t finished_before;
};

/* ---- frames in ---- */

static i3d_status add_video(const char *path, const i3d_video_options *options,
                            struct video_progress *progress, struct flow_writer *writer)
{
    i3d_video *video = NULL;
    const i3d_image *frame;
    i3d_status status;
    TRY(i3d_video_open(path, options, &video));
    video_progress_expect_video(progress, video, options->fps);
    while ((status = i3d_video_next(video, &frame, NULL)) == I3D_OK) {
        TRY(flow_writer_add(writer, frame));
        video_progress_frame(progress);
    }
    if (status == I3D_END)
        status = I3D_OK;
out:
    i3d_video_close(video);
    return status;
}

static bool is_frame(const char *name)
{
    size_t length = strlen(name), digits = strspn(name + (length < 6 ? length : 6), "0123456789");
    return strncmp(name, "image_", 6) == 0 && digits > 0 && strcmp(name + 6 + digits, ".jpg") == 0;
}

/* Frames count from 1 without a gap: the n-th of n must be there. */
static i3d_status add_folder(const char *folder, struct video_progress *progress,
                             struct flow_writer *writer)
{
    struct names names = { 0 };
    i3d_image frame = { 0 };
    char *path = NULL;
    long count = 0;
    i3d_status status;
    TRY(folder_list(folder, &names));
    for (size_t i = 0; i < names.count; i++)
        count += is_frame(names.items[i]);
    if (count == 0)
        status = failure(I3D_EFORMAT, "'%s' holds no frames image_00001.jpg, ...", folder);
    video_progress_expect(progress, count);
    for (long i = 1; i <= count; i++) {
        memory_free(path);
        TRY(memory_format(&path, "%s/image_%05ld.jpg", folder, i));
        if (!file_exists(path)) {
            status = failure(I3D_EFORMAT, "'%s' has %ld frames, but image_%05ld.jpg is missing",
                             folder, count, i);
            goto out;
        }
        /* Decoded as RGB: what a JPEG decoder calls grey is not BT.601 of the colours. */
        TRY(i3d_image_read(path, 3, &frame));
        TRY(flow_writer_add(writer, &frame));
        video_progress_frame(progress);
    }
out:
    memory_free(path);
    names_clear(&names);
    i3d_image_clear(&frame);
    return status;
}

static i3d_status add_pack(const char *path, struct video_progress *progress,
                           struct flow_writer *writer)
{
    struct store_reader reader = { 0 };
    const i3d_image *frame;
    long frames;
    i3d_status status;
    TRY(store_count(path, &frames));
    TRY(store_open(&reader, path, frames, 1));
    video_progress_expect(progress, frames);
    for (long i = 0; i < frames; i++) {
        TRY(store_read(&reader, i, 0, &frame));
        TRY(flow_writer_add(writer, frame));
        video_progress_frame(progress);
    }
out:
    store_close(&reader);
    return status;
}

static i3d_status add_frames(const struct video_file *video, const struct flow_extract *request,
                             struct video_progress *progress, struct flow_writer *writer)
{
    if (request->videos)
        return add_video(video->path, &request->video, progress, writer);
    return file_is_folder(video->path) ? add_folder(video->path, progress, writer)
                                       : add_pack(video->path, progress, writer);
}

/* ---- one video ---- */

static i3d_status extract_one(const struct video_file *video, struct video_progress *progress,
                              void *context)
{
    struct extraction *extraction = context;
    const struct flow_extract *request = &extraction->request;
    struct flow_writer writer = { 0 };
    char *class_folder = NULL, *path = NULL;
    i3d_status status;
    TRY(path_join(&class_folder, extraction->target, video->class_name));
    TRY(store_path(class_folder, video->name, request->writer.store.form, &path));
    if (file_exists(path)) {
        atomic_fetch_add(&extraction->finished_before, 1);
        goto out;
    }
    TRY(folder_make(class_folder));
    TRY(flow_writer_begin(path, &request->writer, &writer));
    TRY(add_frames(video, request, progress, &writer));
    long frames = writer.frames;
    TRY(flow_writer_commit(&writer));
    atomic_fetch_add(&extraction->frames, frames);
out:
    flow_writer_discard(&writer);
    memory_free(path);
    memory_free(class_folder);
    return status;
}

/* ---- all of them ---- */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

i3d_status flow_extract(const struct flow_extract *request, const char *target,
                        struct flow_extracted *out)
{
    struct extraction extraction = { .request = *request, .target = target };
    struct videos videos = { 0 };
    struct lock lock = { .descriptor = -1 };
    char *failures = NULL;
    i3d_status status;
    double start = now();
    int jobs = request->jobs > 0 ? request->jobs : thread_count();
    *out = (struct flow_extracted){ 0 };
    TRY(flow_options_check(&request->writer.flow));
    if (request->videos)
        TRY(videos_find(request->source, &videos));
    else if ((status = videos_find_stores(request->source, &videos)) != I3D_OK)
        TRY(failure_prefix(status, "without --from-videos: "));
    TRY(folder_make(target));
    TRY(lock_take(target, &lock));
    TRY(path_join(&failures, target, "failures.csv"));
    extraction.request.writer.threads = videos.count < (size_t)jobs ? jobs / (int)videos.count : 1;
    TRY(videos_run(&videos, jobs, "flow", extract_one, &extraction, failures, &out->failed));
    out->videos = videos.count;
out:
    out->seconds = now() - start;
    out->frames = atomic_load(&extraction.frames);
    out->finished_before = atomic_load(&extraction.finished_before);
    lock_release(&lock);
    memory_free(failures);
    videos_clear(&videos);
    return status;
}
