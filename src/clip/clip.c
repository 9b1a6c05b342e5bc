#include "clip/clip.h"
#include "base/failure.h"

enum { SIDE_MOST = 16384 };

i3d_clip_options i3d_clip_defaults(void)
{
    return (i3d_clip_options){
        .frames = 64, .size = 224, .clips_per_video = 1, .resize = 256, .augment = true
    };
}

void i3d_clip_compat_mindspore(i3d_clip_options *options)
{
    options->resize = 0;
    options->bgr = true;
    options->crop_per_frame = true;
    options->flip_keeps_sign = true;
    options->temporal_off_by_one = true;
}

i3d_status clip_check(const i3d_clip_options *options)
{
    if (options->frames < 1 || options->clips_per_video < 1)
        return failure(I3D_EINVAL, "%d clips of %d frames a video: at least one of each",
                       options->clips_per_video, options->frames);
    if (options->size < 1 || options->size > SIDE_MOST)
        return failure(I3D_EINVAL, "a crop of %d is not between 1 and %d", options->size,
                       SIDE_MOST);
    if (options->resize < 0 || options->resize > SIDE_MOST)
        return failure(I3D_EINVAL, "a short side of %d is not between 0 (off) and %d",
                       options->resize, SIDE_MOST);
    if (options->resize > 0 && options->resize < options->size)
        return failure(I3D_EINVAL,
                       "a crop of %d does not fit in frames whose short side is made %d; resize "
                       "to more, or crop less",
                       options->size, options->resize);
    return I3D_OK;
}

i3d_status clip_maker_create(const struct i3d_dataset *dataset, const i3d_clip_options *options,
                             struct clip_maker *out)
{
    *out = (struct clip_maker){ .options = options, .source.dataset = dataset };
    return cutter_create(options->size, &out->cutter);
}

void clip_maker_clear(struct clip_maker *maker)
{
    source_clear(&maker->source);
    cutter_clear(&maker->cutter);
}

/* A clip being made. */
struct making {
    struct clip_maker *maker;
    struct random *random; /* NULL: nothing is */
    struct span span;
    struct cut cut;
    bool flip;
    int width, height; /* of the pictures; 0: none seen yet */
    float *out;
};

static struct span choose_span(const i3d_clip_options *options, long frames, int index,
                               struct random *random)
{
    if (random)
        return span_random(frames, options->frames, options->temporal_off_by_one, random);
    if (options->training)
        return span_centre(frames, options->frames);
    return span_even(frames, options->frames, index, options->clips_per_video);
}

static i3d_status choose_cut(struct making *making, const i3d_image *image)
{
    const i3d_clip_options *options = making->maker->options;
    if (making->width && !options->crop_per_frame) {
        if (image->width == making->width && image->height == making->height)
            return I3D_OK;
        return failure(I3D_EFORMAT, "a frame is %d x %d, those before it are %d x %d", image->width,
                       image->height, making->width, making->height);
    }
    i3d_status status = cut_choose(image->width, image->height, options->resize, options->size,
                                   making->random, &making->cut);
    making->cut.flip = making->flip;
    making->width = image->width;
    making->height = image->height;
    return status;
}

/* Puts a picture of the span's frame `frame` wherever the clip repeats it. */
static i3d_status place(struct making *making, const i3d_image *image, long frame, int plane)
{
    struct clip_maker *maker = making->maker;
    const i3d_clip_options *options = maker->options;
    size_t area = (size_t)options->size * (size_t)options->size;
    size_t stride = area * (size_t)options->frames;
    bool horizontal_flow = source_planes(&maker->source) == 2 && plane == 0;
    struct pixels pixels = { .bgr = options->bgr,
                             .invert =
                                 horizontal_flow && making->flip && !options->flip_keeps_sign };
    for (long t = frame; t < options->frames; t += making->span.count) {
        i3d_status status = choose_cut(making, image);
        if (status != I3D_OK)
            return failure_prefix(status, "'%s': ", maker->source.video->path);
        cutter_run(&maker->cutter, image, &making->cut, &pixels,
                   making->out + (size_t)plane * stride + (size_t)t * area, stride);
    }
    return I3D_OK;
}

i3d_status clip_make(struct clip_maker *maker, int video, int index, struct random random,
                     float *out)
{
    i3d_status status;
    const i3d_clip_options *options = maker->options;
    struct making making = { .maker = maker, .out = out };
    const i3d_image *image;
    long frames;
    if (options->training && options->augment)
        making.random = &random;
    TRY(source_begin(&maker->source, video, &frames));
    making.span = choose_span(options, frames, index, making.random);
    making.flip = making.random && random_unit(making.random) < .5;
    for (long f = 0; f < making.span.count; f++)
        for (int plane = 0; plane < source_planes(&maker->source); plane++) {
            TRY(source_read(&maker->source, making.span.begin + f, plane, &image));
            TRY(place(&making, image, f, plane));
        }
out:
    return status;
}
