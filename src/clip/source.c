#include "clip/source.h"
#include "base/failure.h"
#include "base/memory.h"

static i3d_status open_decoder(struct source *source)
{
    i3d_video_close(source->decoder);
    source->decoder = NULL;
    source->next = 0;
    return i3d_video_open(source->video->path, &source->dataset->decode, &source->decoder);
}

/* Every worker that comes first counts, and all find the same. */
static i3d_status count_frames(struct source *source, long *out)
{
    const i3d_image *frame;
    i3d_status status = open_decoder(source);
    if (status != I3D_OK)
        return status;
    for (*out = 0; (status = i3d_video_next(source->decoder, &frame, NULL)) == I3D_OK; ++*out)
        ;
    if (status != I3D_END)
        return status;
    if (*out == 0)
        return failure(I3D_EFORMAT, "'%s' has no frames", source->video->path);
    atomic_store(&source->video->frames, *out);
    return I3D_OK;
}

/* The frames of a store, of the data set or of its cache. */
static i3d_status begin_store(struct source *source, long *frames)
{
    i3d_status status = I3D_OK;
    char *cached = NULL;
    if (source->dataset->cache)
        TRY(flow_cache_find(source->dataset, source->video, &cached));
    TRY(store_open(&source->store, cached ? cached : source->video->path,
                   atomic_load(&source->video->frames), source_planes(source)));
    *frames = source->store.frames;
out:
    memory_free(cached);
    return status;
}

static bool is_stored(const struct source *source)
{
    return !source->dataset->video || source->dataset->cache;
}

i3d_status source_begin(struct source *source, int index, long *frames)
{
    i3d_status status = I3D_OK;
    source->video = &source->dataset->videos[index];
    source->flow_of = -1;
    if (is_stored(source))
        return begin_store(source, frames);
    *frames = atomic_load(&source->video->frames);
    if (*frames == 0)
        TRY(count_frames(source, frames));
    TRY(open_decoder(source));
out:
    return status;
}

int source_planes(const struct source *source)
{
    return source->dataset->stream == I3D_FLOW ? 2 : 1;
}

static i3d_status read_decoded(struct source *source, long frame, const i3d_image **out)
{
    i3d_status status = I3D_OK;
    for (; source->next <= frame && status == I3D_OK; source->next++)
        status = i3d_video_next(source->decoder, out, NULL);
    if (status == I3D_END)
        return failure(I3D_EFORMAT, "'%s' ends before frame %ld; it changed since it was counted",
                       source->video->path, frame);
    return status;
}

/* Flow needs the frame before the first that is asked for, too. */
static i3d_status read_flow(struct source *source, long frame, int plane, const i3d_image **out)
{
    i3d_status status = I3D_OK;
    const i3d_image *picture;
    const i3d_flow_options *options = &source->dataset->flow;
    bool follows = source->flow_of >= 0 && source->flow_of == frame - 1;
    if (source->flow_of != frame) {
        if (frame > 0 && !follows) {
            TRY(read_decoded(source, frame - 1, &picture));
            TRY(live_flow_next(&source->flow, options, picture, true));
        }
        TRY(read_decoded(source, frame, &picture));
        TRY(live_flow_next(&source->flow, options, picture, frame == 0));
        source->flow_of = frame;
    }
    *out = &source->flow.planes[plane];
out:
    return status;
}

i3d_status source_read(struct source *source, long frame, int plane, const i3d_image **out)
{
    if (is_stored(source))
        return store_read(&source->store, frame, plane, out);
    if (source->dataset->stream == I3D_FLOW)
        return read_flow(source, frame, plane, out);
    return read_decoded(source, frame, out);
}

void source_clear(struct source *source)
{
    i3d_video_close(source->decoder);
    store_close(&source->store);
    live_flow_clear(&source->flow);
    *source = (struct source){ 0 };
}
