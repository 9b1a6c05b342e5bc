#include "eval/reader.h"

#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"
#include "clip/sampling.h"

static const double flow_bound = 20; /* pixels; what the data sets' bytes of flow are made with */

i3d_status reader_create(i3d_stream stream, const i3d_recipe *recipe, const char *flow_preset,
                         struct reader *out)
{
    i3d_status status;
    size_t size = (size_t)recipe->size, channels = stream == I3D_FLOW ? 2 : 3;
    *out = (struct reader){ .stream = stream, .recipe = *recipe };
    TRY(i3d_flow_preset(flow_preset, &out->algorithm));
    TRY(cutter_create(recipe->size, &out->cutter));
    TRY(memory_get(channels * (size_t)recipe->frames, size * size * sizeof(float), &out->clip));
out:
    if (status != I3D_OK)
        reader_clear(out);
    return status;
}

void reader_clear(struct reader *reader)
{
    cutter_clear(&reader->cutter);
    i3d_flow_free(reader->flow);
    i3d_image_clear(&reader->grey);
    for (int p = 0; p < 2; p++) {
        i3d_image_clear(&reader->planes[p]);
        memory_free(reader->field[p]);
    }
    memory_free(reader->clip);
    *reader = (struct reader){ 0 };
}

i3d_status reader_count(const char *path, const i3d_video_options *options, long *out)
{
    i3d_video *video = NULL;
    const i3d_image *image;
    i3d_status status;
    *out = 0;
    TRY(i3d_video_open(path, options, &video));
    for (; (status = i3d_video_next(video, &image, NULL)) == I3D_OK; ++*out)
        TRY(check_interrupt());
    if (status == I3D_END)
        status = *out ? I3D_OK : failure(I3D_EFORMAT, "'%s' has no frames", path);
out:
    i3d_video_close(video);
    return status;
}

/* A flow for pictures of this size, at the start of a sequence. */
static i3d_status begin_flow(struct reader *reader, int width, int height)
{
    i3d_status status = I3D_OK;
    size_t pixels = (size_t)width * (size_t)height;
    if (reader->flow && reader->planes[0].width == width && reader->planes[0].height == height) {
        i3d_flow_restart(reader->flow);
        return I3D_OK;
    }
    i3d_flow_free(reader->flow);
    reader->flow = NULL;
    for (int p = 0; p < 2; p++) {
        memory_free(reader->field[p]);
        TRY(memory_get(pixels, sizeof(float), &reader->field[p]));
        TRY(i3d_image_resize_storage(&reader->planes[p], width, height, 1));
    }
    TRY(i3d_flow_create(&reader->algorithm, width, height, &reader->flow));
out:
    return status;
}

static i3d_status next_flow(struct reader *reader, const i3d_image *image)
{
    i3d_status status;
    size_t pixels = (size_t)image->width * (size_t)image->height;
    TRY(i3d_image_grey(image, &reader->grey));
    TRY(i3d_flow_next(reader->flow, reader->grey.pixels, reader->field[0], reader->field[1]));
    for (int p = 0; p < 2; p++)
        i3d_flow_to_bytes(reader->field[p], pixels, flow_bound, reader->planes[p].pixels);
out:
    return status;
}

/* The frame's pixels to its place in the clip, and where a short clip begins again. */
static i3d_status place(struct reader *reader, const i3d_image *image, const struct span *span,
                        long frame)
{
    const i3d_recipe *recipe = &reader->recipe;
    bool flow = reader->stream == I3D_FLOW;
    struct pixels pixels = { .bgr = recipe->bgr == 1 };
    struct cut cut;
    i3d_status status =
        cut_choose(image->width, image->height, recipe->resize, recipe->size, NULL, &cut);
    if (status != I3D_OK)
        return status;
    size_t plane = (size_t)recipe->size * (size_t)recipe->size;
    size_t channel = plane * (size_t)recipe->frames;
    for (long t = frame - span->begin; t < recipe->frames; t += span->count) {
        float *out = reader->clip + (size_t)t * plane;
        for (int p = 0; p < (flow ? 2 : 1); p++)
            cutter_run(&reader->cutter, flow ? &reader->planes[p] : image, &cut, &pixels,
                       out + (size_t)p * channel, channel);
    }
    return I3D_OK;
}

/* Flow of the first frame of a span is the motion from the one before it, as in a data set. */
static i3d_status take_frame(struct reader *reader, const i3d_image *image, const struct span *span,
                             long frame)
{
    i3d_status status = I3D_OK;
    bool flow = reader->stream == I3D_FLOW;
    long first = flow && span->begin > 0 ? span->begin - 1 : span->begin;
    if (flow && frame == first)
        TRY(begin_flow(reader, image->width, image->height));
    if (flow && frame >= first)
        TRY(next_flow(reader, image));
    if (frame >= span->begin)
        TRY(place(reader, image, span, frame));
out:
    return status;
}

i3d_status reader_read(struct reader *reader, const char *path, const i3d_video_options *options,
                       long frames, int index, int clips)
{
    i3d_status status;
    i3d_video *video = NULL;
    const i3d_image *image;
    struct span span = clips > 1 ? span_even(frames, reader->recipe.frames, index, clips)
                                 : span_centre(frames, reader->recipe.frames);
    TRY(i3d_video_open(path, options, &video));
    for (long frame = 0; frame < span.begin + span.count; frame++) {
        TRY(check_interrupt());
        status = i3d_video_next(video, &image, NULL);
        if (status == I3D_END)
            status = failure(I3D_EFORMAT, "'%s' changes while it is read", path);
        if (status != I3D_OK)
            goto out;
        TRY(take_frame(reader, image, &span, frame));
    }
out:
    i3d_video_close(video);
    return status;
}
