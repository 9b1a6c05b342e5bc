/* Which of the annotated videos are there, and how long they are. */
#include "clip/annotation.h"
#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"
#include "base/thread.h"
#include "clip/layout.h"
#include "store/store.h"

#include <i3d/video.h>

struct count {
    struct annotated *videos;
    char **paths; /* of the videos; NULL: not there */
    i3d_video_options decode;
};

static i3d_status count_one(size_t index, int worker, void *context)
{
    struct count *count = context;
    const char *path = count->paths[index];
    long *frames = &count->videos[index].frames;
    (void)worker;
    i3d_status status = check_interrupt();
    if (status != I3D_OK || !path)
        return status;
    status = store_count(path, frames);
    if (status == I3D_EFORMAT && !file_is_folder(path))
        status = i3d_video_count(path, &count->decode, frames);
    return status;
}

static i3d_status find_all(const struct annotation *annotation, const char *root, char **paths)
{
    struct layout layout;
    i3d_status status = layout_open(root, &layout);
    if (status != I3D_OK)
        return status;
    for (size_t i = 0; i < annotation->count; i++) {
        const struct annotated *video = &annotation->videos[i];
        const char *class_name = annotation->labels.items[video->label];
        TRY(layout_find(&layout, class_name, video->name, LAYOUT_FOLDER, &paths[i]));
        if (!paths[i])
            TRY(layout_find(&layout, class_name, video->name, LAYOUT_FILE, &paths[i]));
    }
out:
    layout_close(&layout);
    return status;
}

static i3d_status name_missing(const struct annotation *annotation, struct names *missing)
{
    i3d_status status = I3D_OK;
    for (size_t i = 0; i < annotation->count && status == I3D_OK; i++) {
        const struct annotated *video = &annotation->videos[i];
        char *name = NULL;
        if (video->frames)
            continue;
        TRY(memory_format(&name, "%s/%s", annotation->labels.items[video->label], video->name));
        status = names_add(missing, name);
        memory_free(name);
    }
out:
    return status;
}

static void keep_found(struct annotation *annotation)
{
    size_t kept = 0;
    for (size_t i = 0; i < annotation->count; i++)
        if (annotation->videos[i].frames)
            annotation->videos[kept++] = annotation->videos[i];
        else
            memory_free(annotation->videos[i].name);
    annotation->count = kept;
}

i3d_status annotation_locate(struct annotation *annotation, const char *root, int jobs,
                             double time_limit, struct names *missing)
{
    i3d_status status;
    struct count count = { .videos = annotation->videos, .decode = { .time_limit = time_limit } };
    size_t listed = annotation->count;
    *missing = (struct names){ 0 };
    TRY(memory_get(listed, sizeof *count.paths, &count.paths));
    TRY(find_all(annotation, root, count.paths));
    TRY(thread_run(listed, jobs, count_one, &count));
    TRY(name_missing(annotation, missing));
    keep_found(annotation);
out:
    for (size_t i = 0; count.paths && i < listed; i++)
        memory_free(count.paths[i]);
    memory_free(count.paths);
    if (status != I3D_OK)
        names_clear(missing);
    return status;
}

void annotation_tell_missing(const struct names *missing, size_t most)
{
    for (size_t i = 0; i < missing->count && i < most; i++)
        talk("missing: '%s'", missing->items[i]);
    if (missing->count > most)
        talk("missing: %zu more", missing->count - most);
}
