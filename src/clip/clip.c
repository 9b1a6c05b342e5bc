#include "clip/clip.h"
#include "base/failure.h"

#include <limits.h>
#include <string.h>

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

struct window clip_window(const i3d_clip_options *options, long frames, int index,
                          struct random *random)
{
    if (random)
        return window_random(frames, options->frames, options->temporal_off_by_one, random);
    if (options->training)
        return window_centre(frames, options->frames);
    return window_even(frames, options->frames, index, options->clips_per_video);
}

i3d_status clip_maker_create(const i3d_clip_options *options, i3d_stream stream,
                             const struct motion_options *flow, struct clip_maker *out)
{
    *out = (struct clip_maker){
        .options = options, .flow = flow, .channels = stream == I3D_FLOW ? 2 : 3, .motion_of = -1
    };
    return cutter_create(options->size, &out->cutter);
}

void clip_maker_clear(struct clip_maker *maker)
{
    motion_clear(&maker->motion);
    cutter_clear(&maker->cutter);
}

void clip_restart(struct clip_maker *maker)
{
    maker->motion_of = -1;
    maker->window = (struct window){ 0 };
    maker->next = 0;
    maker->random = NULL;
}

/* ---- the clip's memory ---- */

static size_t area(const struct clip_maker *maker)
{
    return (size_t)maker->options->size * (size_t)maker->options->size;
}

/* Numbers from one channel to the next. */
static size_t stride(const struct clip_maker *maker)
{
    return area(maker) * (size_t)maker->options->frames;
}

static long window_end(const struct window *window)
{
    return window->begin + window->count;
}

/* Puts the first `count` frames wherever the clip repeats them. */
static void repeat(struct clip_maker *maker, long count)
{
    for (long t = maker->window.count; t < maker->options->frames; t++)
        for (int c = 0; t % maker->window.count < count && c < maker->channels; c++) {
            float *channel = maker->out + (size_t)c * stride(maker);
            memcpy(channel + (size_t)t * area(maker),
                   channel + (size_t)(t % maker->window.count) * area(maker),
                   area(maker) * sizeof *channel);
        }
}

/* Copies what the clip shares with `last`, a complete one in `from`. */
static void share(struct clip_maker *maker, const struct window *last, const float *from)
{
    const struct window *window = &maker->window;
    long shared = window_end(last) - window->begin;
    if (window->begin < last->begin || shared <= 0)
        return;
    maker->shared = shared < window->count ? shared : window->count;
    from += (size_t)(window->begin - last->begin) * area(maker);
    for (int c = 0; c < maker->channels; c++, from += stride(maker))
        memmove(maker->out + (size_t)c * stride(maker), from,
                (size_t)maker->shared * area(maker) * sizeof *from);
    maker->next += maker->shared;
    repeat(maker, maker->shared);
}

void clip_begin(struct clip_maker *maker, const struct window *window, struct random *random,
                float *out)
{
    const struct window last = maker->window;
    const float *from = maker->out;
    bool can_share = !maker->random && !random && maker->next == window_end(&last);
    maker->window = *window;
    maker->next = window->begin;
    maker->shared = 0;
    maker->random = random;
    maker->flip = random && random_unit(random) < .5;
    maker->out = out;
    if (can_share)
        share(maker, &last, from);
    if (!maker->shared)
        maker->width = maker->height = 0;
}

/* ---- frames in ---- */

long clip_needs(const struct clip_maker *maker)
{
    long next = maker->next;
    if (next == window_end(&maker->window))
        return -1;
    bool follows = next == 0 || maker->motion_of == next - 1;
    return !maker->flow || follows ? next : next - 1;
}

static i3d_status choose_cut(struct clip_maker *maker, const i3d_image *image)
{
    const i3d_clip_options *options = maker->options;
    if (maker->width && !options->crop_per_frame) {
        if (image->width == maker->width && image->height == maker->height)
            return I3D_OK;
        return failure(I3D_EFORMAT, "a frame is %d x %d, those before it are %d x %d", image->width,
                       image->height, maker->width, maker->height);
    }
    i3d_status status = cut_choose(image->width, image->height, options->resize, options->size,
                                   maker->random, &maker->cut);
    maker->cut.flip = maker->flip;
    maker->width = image->width;
    maker->height = image->height;
    return status;
}

/* Puts a picture of the next frame wherever the clip repeats it. */
static i3d_status place(struct clip_maker *maker, const struct frame *frame, int plane)
{
    const i3d_clip_options *options = maker->options;
    bool horizontal = frame->planes == 2 && plane == 0;
    struct pixels pixels = { .bgr = options->bgr,
                             .invert = horizontal && maker->flip && !options->flip_keeps_sign };
    float *channel = maker->out + (size_t)plane * stride(maker);
    for (long t = maker->next - maker->window.begin; t < options->frames;
         t += maker->window.count) {
        i3d_status status = choose_cut(maker, frame->plane[plane]);
        if (status != I3D_OK)
            return status;
        cutter_run(&maker->cutter, frame->plane[plane], &maker->cut, &pixels,
                   channel + (size_t)t * area(maker), stride(maker));
    }
    return I3D_OK;
}

/* The flow to frame `number`, as bytes, instead of the frame. */
static i3d_status to_flow(struct clip_maker *maker, long number, struct frame *frame)
{
    i3d_status status;
    if (maker->motion_of < 0 || maker->motion_of != number - 1)
        motion_restart(&maker->motion);
    maker->motion_of = -1;
    TRY(motion_next(&maker->motion, &maker->flow->flow, frame->plane[0]));
    motion_to_bytes(&maker->motion, maker->flow->bound);
    *frame = (struct frame){ 2, { &maker->motion.bytes[0], &maker->motion.bytes[1] } };
    maker->motion_of = number;
out:
    return status;
}

i3d_status clip_push(struct clip_maker *maker, const struct frame *frame)
{
    i3d_status status = I3D_OK;
    struct frame taken = *frame;
    long number = clip_needs(maker);
    if (maker->flow)
        TRY(to_flow(maker, number, &taken));
    if (number < maker->next)
        return I3D_OK;
    for (int plane = 0; plane < taken.planes; plane++)
        TRY(place(maker, &taken, plane));
    maker->next++;
out:
    return status;
}

/* ---- clips of a video ---- */

/* The video has no more frames. Whether the clip is complete now: what came, over and over. */
static bool end(struct clip_maker *maker)
{
    long count = maker->next - maker->window.begin;
    if (count == maker->shared)
        return false;
    maker->window.count = count;
    repeat(maker, count);
    return true;
}

static i3d_status end_all(const struct frames *frames, struct clip_maker *const makers[], int count)
{
    i3d_status status = I3D_END;
    for (int m = 0; m < count; m++) {
        if (!makers[m]->window.open)
            return failure(I3D_EFORMAT,
                           "'%s' ends before frame %ld; it changed since it was counted",
                           frames->path, clip_needs(makers[m]));
        if (end(makers[m]))
            status = I3D_OK;
    }
    return status;
}

static i3d_status push(struct clip_maker *maker, const struct frame *frame, const char *path)
{
    i3d_status status = clip_push(maker, frame);
    return status == I3D_OK || !path ? status : failure_prefix(status, "'%s': ", path);
}

i3d_status clip_fill(struct frames *frames, struct clip_maker *const makers[], int count)
{
    i3d_status status;
    struct frame frame;
    for (;;) {
        long number = LONG_MAX;
        for (int m = 0; m < count; m++) {
            long needs = clip_needs(makers[m]);
            if (needs < 0)
                return I3D_OK;
            number = needs < number ? needs : number;
        }
        TRY(frames_seek(frames, number));
        TRY(frames_next(frames, &frame));
        for (int m = 0; m < count; m++)
            if (clip_needs(makers[m]) == number)
                TRY(push(makers[m], &frame, frames->path));
    }
out:
    return status == I3D_END ? end_all(frames, makers, count) : status;
}
