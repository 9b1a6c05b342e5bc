#include "clip/dataset.h"
#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"
#include "clip/annotation.h"
#include "clip/flow_cache.h"
#include "clip/layout.h"
#include "store/store.h"

#include <limits.h>

enum { TOLD_MOST = 10 }; /* of the missing videos, one by one, where they are no error */

static i3d_status add_video(struct i3d_dataset *dataset, const struct annotated *video, char *path)
{
    struct dataset_video *added = &dataset->videos[dataset->count];
    i3d_status status;
    long frames = 0;
    if (!dataset->video)
        TRY(store_count(path, &frames));
    TRY(memory_string(video->name, &added->name));
    atomic_init(&added->frames, frames);
    added->path = path;
    added->label = video->label;
    if (dataset->video || frames > 0) {
        dataset->count++;
        return I3D_OK;
    }
    memory_free(added->name);
out:
    memory_free(path);
    return status;
}

static i3d_status add_missing(const struct annotation *annotation, const struct annotated *video,
                              struct names *missing)
{
    char *name;
    i3d_status status =
        memory_format(&name, "%s/%s", annotation->labels.items[video->label], video->name);
    if (status != I3D_OK)
        return status;
    status = names_add(missing, name);
    memory_free(name);
    return status;
}

static i3d_status find_videos(struct i3d_dataset *dataset, const struct annotation *annotation,
                              const i3d_dataset_options *options, struct names *missing)
{
    struct layout layout;
    i3d_status status = layout_open(options->root, &layout);
    if (status != I3D_OK)
        return status;
    TRY(memory_get(annotation->count, sizeof *dataset->videos, &dataset->videos));
    for (size_t i = 0; i < annotation->count; i++) {
        const struct annotated *video = &annotation->videos[i];
        int before = dataset->count;
        const char *class_name = annotation->labels.items[video->label];
        char *path;
        if (video->subset != options->subset)
            continue;
        TRY(options->video ? layout_find(&layout, class_name, video->name, LAYOUT_FILE, &path)
                           : layout_find_store(&layout, class_name, video->name, &path));
        if (path)
            TRY(add_video(dataset, video, path));
        if (dataset->count == before)
            TRY(add_missing(annotation, video, missing));
    }
out:
    layout_close(&layout);
    return status;
}

static const char *subset_name(i3d_subset subset)
{
    return subset == I3D_TRAINING ? "training" : "validation";
}

static i3d_status judge_missing(const struct i3d_dataset *dataset,
                                const i3d_dataset_options *options, const struct names *missing)
{
    size_t all = (size_t)dataset->count + missing->count;
    annotation_tell_missing(missing, options->strict ? SIZE_MAX : TOLD_MOST);
    if (all == 0)
        return failure(I3D_EINVAL, "'%s' has no video for %s; annotate with a split that has some",
                       options->annotation, subset_name(options->subset));
    if (dataset->count == 0)
        return failure(I3D_EINVAL,
                       "none of the %zu %s videos of '%s' is in '%s', the first '%s'; the root is "
                       "the folder that holds the classes' folders%s",
                       all, subset_name(options->subset), options->annotation, options->root,
                       missing->items[0], options->video ? " of video files" : "");
    if (options->strict && missing->count)
        return failure(I3D_EIO,
                       "%zu of the %zu %s videos of '%s' are missing in '%s', the first '%s'; "
                       "without strict they are left out",
                       missing->count, all, subset_name(options->subset), options->annotation,
                       options->root, missing->items[0]);
    if (missing->count)
        talk("%zu of the %zu %s videos of '%s' are missing in '%s' and left out", missing->count,
             all, subset_name(options->subset), options->annotation, options->root);
    return I3D_OK;
}

static i3d_status tell_empty_labels(const struct i3d_dataset *dataset, i3d_subset subset)
{
    bool *seen;
    i3d_status status = memory_get(dataset->labels.count, sizeof *seen, &seen);
    if (status != I3D_OK)
        return status;
    for (int i = 0; i < dataset->count; i++)
        seen[dataset->videos[i].label] = true;
    for (size_t label = 0; label < dataset->labels.count; label++)
        if (!seen[label])
            talk("the class '%s' has no %s video", dataset->labels.items[label],
                 subset_name(subset));
    memory_free(seen);
    return I3D_OK;
}

/* How flow is computed, and where it is kept: a folder for each way to compute it. */
static i3d_status prepare_flow(struct i3d_dataset *dataset, const i3d_dataset_options *options)
{
    i3d_status status;
    const char *preset = options->flow_preset ? options->flow_preset : I3D_FLOW_PRESET_LIVE;
    if (!options->video || options->stream != I3D_FLOW)
        return I3D_OK;
    TRY(i3d_flow_preset(preset, &dataset->flow.flow));
    dataset->flow.bound = I3D_FLOW_BOUND;
    if (options->flow_cache)
        TRY(memory_format(&dataset->cache, "%s/%s_%d_%gfps", options->flow_cache, preset,
                          options->short_side, options->fps));
out:
    return status;
}

static i3d_status check_options(const i3d_dataset_options *options)
{
    if (options->short_side < 0 || !(options->fps >= 0))
        return failure(I3D_EINVAL, "short side %d and rate %g may not be negative",
                       options->short_side, options->fps);
    return I3D_OK;
}

i3d_status i3d_dataset_open(const i3d_dataset_options *options, i3d_dataset **out)
{
    i3d_status status;
    struct annotation annotation = { 0 };
    struct names missing = { 0 };
    struct i3d_dataset *dataset = NULL;
    *out = NULL;
    TRY(check_options(options));
    TRY(memory_get(1, sizeof *dataset, &dataset));
    dataset->stream = options->stream;
    dataset->video = options->video;
    dataset->decode = (i3d_video_options){ .fps = options->fps,
                                           .short_side = options->short_side,
                                           .fill_gaps = options->fill_gaps,
                                           .time_limit = options->time_limit };
    TRY(prepare_flow(dataset, options));
    TRY(annotation_read(options->annotation, &annotation));
    if (annotation.count > INT_MAX)
        TRY(failure(I3D_EUNSUPPORTED, "'%s' has too many videos", options->annotation));
    TRY(find_videos(dataset, &annotation, options, &missing));
    TRY(judge_missing(dataset, options, &missing));
    dataset->missing = (int)missing.count;
    dataset->labels = annotation.labels;
    annotation.labels = (struct names){ 0 };
    TRY(tell_empty_labels(dataset, options->subset));
    *out = dataset;
out:
    annotation_clear(&annotation);
    names_clear(&missing);
    if (status != I3D_OK)
        i3d_dataset_close(dataset);
    return status;
}

void i3d_dataset_close(i3d_dataset *dataset)
{
    if (!dataset)
        return;
    for (int i = 0; i < dataset->count; i++) {
        memory_free(dataset->videos[i].name);
        memory_free(dataset->videos[i].path);
    }
    memory_free(dataset->videos);
    memory_free(dataset->cache);
    names_clear(&dataset->labels);
    memory_free(dataset);
}

const struct motion_options *dataset_motion(const struct i3d_dataset *dataset)
{
    bool computed = dataset->video && dataset->stream == I3D_FLOW && !dataset->cache;
    return computed ? &dataset->flow : NULL;
}

/* The store of the data set or of its cache. */
static i3d_status open_store(const struct i3d_dataset *dataset, const struct dataset_video *video,
                             struct frames *frames)
{
    i3d_status status = I3D_OK;
    char *cached = NULL;
    int planes = dataset->stream == I3D_FLOW ? 2 : 1;
    if (dataset->cache)
        TRY(flow_cache_find(dataset, video, &cached));
    TRY(frames_read(frames, cached ? cached : video->path, atomic_load(&video->frames), planes));
out:
    memory_free(cached);
    return status;
}

/* Every worker that comes first counts, and all find the same. */
i3d_status dataset_open_frames(const struct i3d_dataset *dataset, int index, struct frames *frames,
                               long *count)
{
    i3d_status status;
    struct dataset_video *video = &dataset->videos[index];
    if (!dataset->video || dataset->cache) {
        TRY(open_store(dataset, video, frames));
        *count = frames->count;
        return I3D_OK;
    }
    *count = atomic_load(&video->frames);
    if (*count == 0)
        TRY(i3d_video_count(video->path, &dataset->decode, count));
    atomic_store(&video->frames, *count);
    TRY(frames_decode(frames, video->path, &dataset->decode));
out:
    return status;
}

int i3d_dataset_video_count(const i3d_dataset *dataset)
{
    return dataset->count;
}

int i3d_dataset_class_count(const i3d_dataset *dataset)
{
    return (int)dataset->labels.count;
}

const char *i3d_dataset_class_name(const i3d_dataset *dataset, int label)
{
    return dataset->labels.items[label];
}

const char *i3d_dataset_video_name(const i3d_dataset *dataset, int video)
{
    return dataset->videos[video].name;
}

int i3d_dataset_video_label(const i3d_dataset *dataset, int video)
{
    return dataset->videos[video].label;
}

int i3d_dataset_missing_count(const i3d_dataset *dataset)
{
    return dataset->missing;
}
