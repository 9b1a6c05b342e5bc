#include "flow/flow_extract.h"
#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"
#include "base/thread.h"
#include "flow/flow.h"
#include "video/walk.h"

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
                            struct flow_writer *writer)
{
    i3d_video *video = NULL;
    const i3d_image *frame;
    i3d_status status;
    TRY(i3d_video_open(path, options, &video));
    while ((status = i3d_video_next(video, &frame, NULL)) == I3D_OK)
        TRY(flow_writer_add(writer, frame));
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
static i3d_status add_frames(const char *folder, struct flow_writer *writer)
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
    }
out:
    memory_free(path);
    names_clear(&names);
    i3d_image_clear(&frame);
    return status;
}

/* ---- folders of frames ---- */

static i3d_status add_folder(struct videos *videos, const char *class_folder,
                             const char *class_name, const char *name)
{
    i3d_status status;
    char *path = NULL;
    TRY(path_join(&path, class_folder, name));
    if (!file_is_folder(path))
        goto out;
    TRY(memory_grow(&videos->items, &videos->capacity, videos->count + 1, sizeof *videos->items));
    struct video_file *video = &videos->items[videos->count++];
    *video = (struct video_file){ .path = path };
    path = NULL;
    TRY(memory_string(class_name, &video->class_name));
    TRY(memory_string(name, &video->name));
out:
    memory_free(path);
    return status;
}

static i3d_status add_class(struct videos *videos, const char *root, const char *class_name)
{
    i3d_status status;
    struct names names = { 0 };
    char *folder = NULL;
    TRY(path_join(&folder, root, class_name));
    if (!file_is_folder(folder))
        goto out;
    TRY(folder_list(folder, &names));
    for (size_t i = 0; i < names.count; i++)
        TRY(add_folder(videos, folder, class_name, names.items[i]));
out:
    names_clear(&names);
    memory_free(folder);
    return status;
}

/* Every root/class/video that is a folder. */
static i3d_status find_folders(const char *root, struct videos *out)
{
    i3d_status status;
    struct names classes = { 0 };
    TRY(folder_list(root, &classes));
    for (size_t i = 0; i < classes.count; i++)
        TRY(add_class(out, root, classes.items[i]));
    if (out->count == 0)
        status = failure(I3D_EINVAL,
                         "no frames in '%s'; they are looked for as "
                         "'%s/<class>/<video>/image_00001.jpg', and videos with --from-videos",
                         root, root);
out:
    names_clear(&classes);
    return status;
}

/* ---- one video ---- */

static i3d_status extract_one(const struct video_file *video, int worker, void *context)
{
    struct extraction *extraction = context;
    const struct flow_extract *request = &extraction->request;
    struct flow_writer writer = { 0 };
    char *class_folder = NULL, *folder = NULL;
    i3d_status status;
    (void)worker;
    TRY(path_join(&class_folder, extraction->target, video->class_name));
    TRY(path_join(&folder, class_folder, video->name));
    if (file_exists(folder)) {
        atomic_fetch_add(&extraction->finished_before, 1);
        goto out;
    }
    TRY(folder_make(class_folder));
    TRY(flow_writer_begin(folder, &request->writer, &writer));
    if (request->videos)
        TRY(add_video(video->path, &request->video, &writer));
    else
        TRY(add_frames(video->path, &writer));
    long frames = writer.frames;
    TRY(flow_writer_commit(&writer));
    atomic_fetch_add(&extraction->frames, frames);
out:
    flow_writer_discard(&writer);
    memory_free(folder);
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
    else
        TRY(find_folders(request->source, &videos));
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
