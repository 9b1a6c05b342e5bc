#include "store/frames_extract.h"
#include "base/failure.h"
#include "base/memory.h"
#include "store/frames.h"

#include <stdatomic.h>

struct extraction {
    const struct frames_extract *request;
    const char *target;
    atomic_long frames;
    atomic_size_t finished_before;
};

static i3d_status add(const i3d_image *frame, void *writer)
{
    return store_add(writer, frame);
}

static i3d_status extract_to(const char *path, const char *target, const struct frames_extract *how,
                             struct video_progress *progress, long *frames)
{
    i3d_status status;
    struct frames video = { 0 };
    struct store_writer writer = { 0 };
    /* Opened first, so that a bad file leaves no trace. */
    TRY(frames_decode(&video, path, &how->video));
    TRY(store_begin(target, &how->store, &writer));
    TRY(frames_each(&video, progress, add, &writer));
    *frames = writer.frames;
    TRY(store_commit(&writer));
out:
    store_discard(&writer);
    frames_close(&video);
    return status;
}

static i3d_status extract_one(const struct video_file *video, struct video_progress *progress,
                              void *context)
{
    struct extraction *extraction = context;
    char *class_folder = NULL, *target = NULL;
    long frames;
    i3d_status status;
    TRY(path_join(&class_folder, extraction->target, video->class_name));
    TRY(store_path(class_folder, video->name, extraction->request->store.form, &target));
    if (file_exists(target)) {
        atomic_fetch_add(&extraction->finished_before, 1);
        goto out;
    }
    TRY(folder_make(class_folder));
    TRY(extract_to(video->path, target, extraction->request, progress, &frames));
    atomic_fetch_add(&extraction->frames, frames);
out:
    memory_free(target);
    memory_free(class_folder);
    return status;
}

i3d_status frames_extract(const struct frames_extract *request, const char *target,
                          struct frames_extracted *out)
{
    struct extraction extraction = { .request = request, .target = target };
    struct videos videos = { 0 };
    struct lock lock = { .descriptor = -1 };
    char *failures = NULL;
    i3d_status status;
    *out = (struct frames_extracted){ 0 };
    TRY(videos_find(request->source, &videos));
    TRY(folder_make(target));
    TRY(lock_take(target, &lock));
    TRY(path_join(&failures, target, "failures.csv"));
    TRY(videos_run(&videos, request->jobs, "frames", extract_one, &extraction, failures,
                   &out->failed));
out:
    out->videos = videos.count;
    out->frames = atomic_load(&extraction.frames);
    out->finished_before = atomic_load(&extraction.finished_before);
    lock_release(&lock);
    memory_free(failures);
    videos_clear(&videos);
    return status;
}
