/* The flow that loading has computed, kept for the next epoch. */
#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"
#include "clip/live_flow.h"
#include "flow/flow_writer.h"

#include <unistd.h>

/* Lossless, so that the numbers are those of flow computed anew. */
static i3d_status make(const struct i3d_dataset *dataset, const char *video_path, const char *path)
{
    struct flow_writer_options options = {
        .flow = dataset->flow,
        .store = { .form = STORE_FFV1, .planes = 2, .bound = LIVE_FLOW_BOUND }
    };
    struct flow_writer writer = { 0 };
    i3d_video *video = NULL;
    const i3d_image *frame;
    i3d_status status;
    TRY(i3d_video_open(video_path, &dataset->decode, &video));
    TRY(flow_writer_begin(path, &options, &writer));
    while ((status = i3d_video_next(video, &frame, NULL)) == I3D_OK) {
        TRY(check_interrupt());
        TRY(flow_writer_add(&writer, frame));
    }
    if (status == I3D_END)
        status = flow_writer_commit(&writer);
out:
    flow_writer_discard(&writer);
    i3d_video_close(video);
    return status;
}

i3d_status flow_cache_find(const struct i3d_dataset *dataset, const struct dataset_video *video,
                           char **out)
{
    i3d_status status;
    char *folder = NULL, *path = NULL, *lock_path = NULL;
    struct lock lock = { .descriptor = -1 };
    *out = NULL;
    TRY(path_join(&folder, dataset->cache, dataset->labels.items[video->label]));
    TRY(store_path(folder, video->name, STORE_FFV1, &path));
    if (!file_exists(path)) {
        TRY(folder_make(folder));
        TRY(memory_format(&lock_path, "%s/.%s.lock", folder, video->name));
        TRY(lock_wait(lock_path, &lock));
        /* Others made it meanwhile? */
        if (!file_exists(path))
            TRY(make(dataset, video->path, path));
        unlink(lock_path); /* whoever waits for it will see that the flow is there */
    }
    *out = path;
    path = NULL;
out:
    lock_release(&lock);
    memory_free(lock_path);
    memory_free(path);
    memory_free(folder);
    return status;
}
