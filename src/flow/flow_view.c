#include "flow/flow_view.h"
#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"

#include <math.h>
#include <string.h>

/* The wheel goes around six pure colours; so many steps lead from each to the next. */
static const struct {
    uint8_t rgb[3];
    int steps;
} wheel[] = {
    { { 255, 0, 0 }, 15 },   { { 255, 255, 0 }, 6 }, { { 0, 255, 0 }, 4 },
    { { 0, 255, 255 }, 11 }, { { 0, 0, 255 }, 13 },  { { 255, 0, 255 }, 6 },
};
enum { COLOURS = sizeof wheel / sizeof wheel[0], STEPS = 15 + 6 + 4 + 11 + 13 + 6 };

void flow_colour(double u, double v, double bound, uint8_t rgb[3])
{
    static const double pi = 3.14159265358979323846;
    double length = hypot(u, v) / bound;
    double place = (atan2(-v, -u) / pi + 1) / 2 * (STEPS - 1);
    int from = 0;
    while (from < COLOURS - 1 && place >= wheel[from].steps)
        place -= wheel[from++].steps;
    double part = fmin(1, place / wheel[from].steps);
    const uint8_t *a = wheel[from].rgb, *b = wheel[(from + 1) % COLOURS].rgb;
    for (int i = 0; i < 3; i++) {
        double colour = ((1 - part) * a[i] + part * b[i]) / 255;
        colour = length <= 1 ? 1 - length * (1 - colour) : colour * .75;
        rgb[i] = (uint8_t)(255 * colour);
    }
}

struct view {
    i3d_flow *flow;
    i3d_image grey, both; /* the frame, and left the frame and right its flow */
    float *u, *v;
    i3d_video_writer *writer;
};

static i3d_status prepare(struct view *view, const char *target, const i3d_image *frame, double fps,
                          const i3d_flow_options *options)
{
    i3d_status status;
    size_t cells = (size_t)frame->width * (size_t)frame->height;
    TRY(i3d_flow_create(options, frame->width, frame->height, &view->flow));
    TRY(memory_get(cells, sizeof(float), &view->u));
    TRY(memory_get(cells, sizeof(float), &view->v));
    TRY(i3d_image_resize_storage(&view->both, 2 * frame->width, frame->height, 3));
    TRY(i3d_video_writer_open(target, view->both.width, view->both.height, fps > 0 ? fps : 25,
                              &view->writer));
out:
    return status;
}

static i3d_status show(struct view *view, const i3d_image *frame, double bound)
{
    i3d_status status;
    size_t row_bytes = 3 * (size_t)frame->width;
    if (2 * frame->width != view->both.width || frame->height != view->both.height)
        return failure(I3D_EUNSUPPORTED,
                       "a frame is %d x %d, the first was %d x %d; flow of a video that changes "
                       "its size cannot be shown",
                       frame->width, frame->height, view->both.width / 2, view->both.height);
    TRY(i3d_image_grey(frame, &view->grey));
    TRY(i3d_flow_next(view->flow, view->grey.pixels, view->u, view->v));
    for (int y = 0; y < frame->height; y++) {
        uint8_t *left = view->both.pixels + (size_t)y * 2 * row_bytes, *right = left + row_bytes;
        memcpy(left, frame->pixels + (size_t)y * row_bytes, row_bytes);
        for (int x = 0; x < frame->width; x++) {
            size_t cell = (size_t)y * (size_t)frame->width + (size_t)x;
            flow_colour((double)view->u[cell], (double)view->v[cell], bound, right + 3 * x);
        }
    }
    TRY(i3d_video_writer_add(view->writer, &view->both));
out:
    return status;
}

i3d_status flow_view(const char *source, const i3d_video_options *options,
                     const i3d_flow_options *flow, double bound, const char *target)
{
    struct view view = { 0 };
    i3d_video *video = NULL;
    const i3d_image *frame;
    i3d_status status;
    TRY(i3d_video_open(source, options, &video));
    i3d_video_info info = i3d_video_get_info(video);
    long done = 0;
    while ((status = i3d_video_next(video, &frame, NULL)) == I3D_OK) {
        TRY(check_interrupt());
        if (done == 0)
            TRY(prepare(&view, target, frame, info.fps, flow));
        TRY(show(&view, frame, bound));
        talk_progress("frames", ++done, info.frames);
    }
    if (status != I3D_END)
        goto out;
    status = done ? i3d_video_writer_finish(view.writer)
                  : failure(I3D_EFORMAT, "'%s' has no frames", source);
out:
    i3d_video_close(video);
    i3d_video_writer_close(view.writer);
    i3d_flow_free(view.flow);
    i3d_image_clear(&view.grey);
    i3d_image_clear(&view.both);
    memory_free(view.u);
    memory_free(view.v);
    return status;
}
