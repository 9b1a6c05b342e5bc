#include "clip/flow_cache.h"
#include "base/failure.h"
#include "base/memory.h"
#include "flow/flow_writer.h"

#include <unistd.h>

static i3d_status add(const i3d_image *frame, void *writer)
{
    return flow_writer_add(writer, frame);
}

/* Lossless, so that the numbers are those of flow computed anew. */
static i3d_status make(const struct i3d_dataset *dataset, const char *video, const char *path)
{
    struct flow_writer_options options = {
        .flow = dataset->flow.flow,
        .store = { .form = STORE_FFV1, .planes = 2, .bound = dataset->flow.bound }
    };
    struct flow_writer writer = { 0 };
    struct frames frames = { 0 };
    i3d_status status;
    TRY(frames_decode(&frames, video, &dataset->decode));
    TRY(flow_writer_begin(path, &options, &writer));
    TRY(frames_each(&frames, NULL, add, &writer));
    TRY(flow_writer_commit(&writer));
out:
    flow_writer_discard(&writer);
    frames_close(&frames);
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
