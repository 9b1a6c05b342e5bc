#include "flow/flow_extract.h"
#include "base/clock.h"
#include "base/failure.h"
#include "base/memory.h"
#include "base/thread.h"
#include "flow/flow.h"
#include "store/frames.h"
#include "store/nframes.h"

#include <stdatomic.h>

struct extraction {
    struct flow_extract request;
    const char *target;
    atomic_long frames;
    atomic_size_t finished_before;
};

/* ---- one video ---- */

/* Of a folder what counts is the files, not what n_frames says, which may be missing. */
static i3d_status open_folder(struct frames *frames, const char *folder)
{
    i3d_status status;
    struct numbering numbering;
    TRY(store_number(folder, &numbering));
    if (numbering.highest == 0 || numbering.flow)
        TRY(failure(I3D_EFORMAT, "'%s' holds no frames image_00001.jpg, ...", folder));
    if (numbering.missing)
        TRY(failure(I3D_EFORMAT,
                    "'%s' has frames up to image_%05ld.jpg, but image_%05ld.jpg is missing", folder,
                    numbering.highest, numbering.first));
    TRY(frames_read(frames, folder, numbering.highest, 1));
out:
    return status;
}

static i3d_status open_frames(struct frames *frames, const char *path,
                              const struct flow_extract *request)
{
    if (request->videos)
        return frames_decode(frames, path, &request->video);
    return file_is_folder(path) ? open_folder(frames, path) : frames_read(frames, path, 0, 1);
}

static i3d_status add(const i3d_image *frame, void *writer)
{
    return flow_writer_add(writer, frame);
}

static i3d_status extract_one(const struct video_file *video, struct video_progress *progress,
                              void *context)
{
    struct extraction *extraction = context;
    const struct flow_extract *request = &extraction->request;
    struct frames frames = { 0 };
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
    TRY(open_frames(&frames, video->path, request));
    TRY(flow_writer_begin(path, &request->writer, &writer));
    TRY(frames_each(&frames, progress, add, &writer));
    long done = writer.frames;
    TRY(flow_writer_commit(&writer));
    atomic_fetch_add(&extraction->frames, done);
out:
    frames_close(&frames);
    flow_writer_discard(&writer);
    memory_free(path);
    memory_free(class_folder);
    return status;
}

/* ---- all of them ---- */

i3d_status flow_extract(const struct flow_extract *request, const char *target,
                        struct flow_extracted *out)
{
    struct extraction extraction = { .request = *request, .target = target };
    struct videos videos = { 0 };
    struct lock lock = { .descriptor = -1 };
    char *failures = NULL;
    i3d_status status;
    double start = clock_seconds();
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
    out->seconds = clock_seconds() - start;
    out->frames = atomic_load(&extraction.frames);
    out->finished_before = atomic_load(&extraction.finished_before);
    lock_release(&lock);
    memory_free(failures);
    videos_clear(&videos);
    return status;
}
