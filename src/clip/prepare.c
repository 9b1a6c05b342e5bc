#include "clip/prepare.h"
#include "base/failure.h"
#include "base/memory.h"
#include "base/thread.h"
#include "store/frames.h"

#include <stdatomic.h>

struct preparation {
    const struct prepare *request;
    struct store_options store; /* of the frames */
    struct flow_writer_options flow;
    char *rgb, *flows; /* the two jpg roots */
    atomic_long frames;
    atomic_size_t finished_before;
};

/* The two stores of one video; one that is not wanted is there already. */
struct pair {
    struct store_writer rgb;
    struct flow_writer flow;
    bool wants_rgb, wants_flow;
    long frames;
};

static i3d_status choose_path(const char *root, const struct video_file *video,
                              enum store_form form, char **out, bool *wanted)
{
    i3d_status status;
    char *class_folder = NULL;
    TRY(path_join(&class_folder, root, video->class_name));
    TRY(store_path(class_folder, video->name, form, out));
    *wanted = !file_exists(*out);
    if (*wanted)
        TRY(folder_make(class_folder));
out:
    memory_free(class_folder);
    return status;
}

static i3d_status add_frame(const i3d_image *frame, void *context)
{
    i3d_status status = I3D_OK;
    struct pair *pair = context;
    pair->frames++;
    if (pair->wants_rgb)
        status = store_add(&pair->rgb, frame);
    if (status == I3D_OK && pair->wants_flow)
        status = flow_writer_add(&pair->flow, frame);
    return status;
}

static i3d_status prepare_one(const struct video_file *video, struct video_progress *progress,
                              void *context)
{
    struct preparation *preparation = context;
    const struct prepare *request = preparation->request;
    struct frames frames = { 0 };
    struct pair pair = { 0 };
    char *rgb = NULL, *flow = NULL;
    i3d_status status;
    enum store_form form = preparation->store.form;
    TRY(choose_path(preparation->rgb, video, form, &rgb, &pair.wants_rgb));
    TRY(choose_path(preparation->flows, video, form, &flow, &pair.wants_flow));
    if (!pair.wants_rgb && !pair.wants_flow) {
        atomic_fetch_add(&preparation->finished_before, 1);
        goto out;
    }
    if (pair.wants_rgb)
        TRY(store_begin(rgb, &preparation->store, &pair.rgb));
    if (pair.wants_flow)
        TRY(flow_writer_begin(flow, &preparation->flow, &pair.flow));
    TRY(frames_decode(&frames, video->path, &request->video));
    TRY(frames_each(&frames, progress, add_frame, &pair));
    if (pair.wants_rgb)
        TRY(store_commit(&pair.rgb));
    if (pair.wants_flow)
        TRY(flow_writer_commit(&pair.flow));
    atomic_fetch_add(&preparation->frames, pair.frames);
out:
    frames_close(&frames);
    store_discard(&pair.rgb);
    flow_writer_discard(&pair.flow);
    memory_free(rgb);
    memory_free(flow);
    return status;
}

static i3d_status prepare_all(struct preparation *preparation, const char *root,
                              struct prepared *out)
{
    const struct prepare *request = preparation->request;
    struct videos videos = { 0 };
    char *failures = NULL;
    i3d_status status;
    int jobs = request->jobs > 0 ? request->jobs : thread_count();
    TRY(videos_find(request->videos, &videos));
    TRY(path_join(&failures, root, "failures.csv"));
    out->videos = videos.count;
    preparation->flow.threads = videos.count < (size_t)jobs ? jobs / (int)videos.count : 1;
    TRY(videos_run(&videos, jobs, "prepare", prepare_one, preparation, failures, &out->failed));
out:
    out->frames = atomic_load(&preparation->frames);
    out->finished_before = atomic_load(&preparation->finished_before);
    memory_free(failures);
    videos_clear(&videos);
    return status;
}

/* The annotation beside either jpg root. */
static i3d_status write_annotations(struct annotate *annotate,
                                    const struct preparation *preparation, const char *root)
{
    static const char *const streams[] = { "rgb", "flow" };
    i3d_status status;
    char *folder = NULL;
    TRY(annotate_locate(annotate, preparation->rgb, preparation->request->jobs,
                        preparation->request->video.time_limit));
    for (int i = 0; i < 2; i++) {
        TRY(memory_format(&folder, "%s/%s/%s/annotation", root, streams[i],
                          preparation->request->rule.dataset));
        TRY(annotate_write(annotate, folder));
        memory_free(folder);
        folder = NULL;
    }
out:
    memory_free(folder);
    return status;
}

i3d_status prepare_run(const struct prepare *request, const char *root, struct prepared *out)
{
    struct preparation preparation = { .request = request,
                                       .store = request->flow.store,
                                       .flow = request->flow };
    struct annotate annotate = { 0 };
    struct lock lock = { .descriptor = -1 };
    i3d_status status;
    preparation.store.planes = 1;
    *out = (struct prepared){ 0 };
    TRY(annotate_begin(&request->rule, request->videos, &annotate));
    TRY(memory_format(&preparation.rgb, "%s/rgb/%s/jpg", root, request->rule.dataset));
    TRY(memory_format(&preparation.flows, "%s/flow/%s/jpg", root, request->rule.dataset));
    TRY(folder_make(preparation.rgb));
    TRY(folder_make(preparation.flows));
    TRY(lock_take(root, &lock));
    TRY(prepare_all(&preparation, root, out));
    if (out->failed == out->videos)
        TRY(failure(I3D_EFORMAT,
                    "none of the videos in '%s' could be prepared; '%s/failures.csv' "
                    "says why",
                    request->videos, root));
    TRY(write_annotations(&annotate, &preparation, root));
    out->missing = annotate.missing.count;
    out->nameless = annotate.nameless.count;
out:
    lock_release(&lock);
    memory_free(preparation.rgb);
    memory_free(preparation.flows);
    annotate_clear(&annotate);
    return status;
}
