#include "flow/flow_view.h"
#include "base/failure.h"
#include "base/talk.h"
#include "flow/motion.h"
#include "store/frames.h"

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
    const char *target;
    const i3d_flow_options *options;
    double bound, fps;
    long done, total; /* frames */
    struct motion motion;
    i3d_image both; /* left the frame and right its flow */
    i3d_video_writer *writer;
};

static i3d_status open_target(struct view *view, const i3d_image *frame)
{
    i3d_status status;
    double fps = view->fps > 0 ? view->fps : 25;
    TRY(i3d_image_resize_storage(&view->both, 2 * frame->width, frame->height, 3));
    TRY(i3d_video_writer_open(view->target, view->both.width, view->both.height, fps,
                              &view->writer));
out:
    return status;
}

static void draw(struct view *view, const i3d_image *frame)
{
    size_t row_bytes = 3 * (size_t)frame->width;
    for (int y = 0; y < frame->height; y++) {
        uint8_t *left = view->both.pixels + (size_t)y * 2 * row_bytes, *right = left + row_bytes;
        memcpy(left, frame->pixels + (size_t)y * row_bytes, row_bytes);
        for (int x = 0; x < frame->width; x++) {
            size_t cell = (size_t)y * (size_t)frame->width + (size_t)x;
            flow_colour((double)view->motion.u[cell], (double)view->motion.v[cell], view->bound,
                        right + 3 * x);
        }
    }
}

static i3d_status show(const i3d_image *frame, void *context)
{
    i3d_status status;
    struct view *view = context;
    if (!view->writer)
        TRY(open_target(view, frame));
    TRY(motion_next(&view->motion, view->options, frame));
    draw(view, frame);
    TRY(i3d_video_writer_add(view->writer, &view->both));
    talk_progress("frames", ++view->done, view->total);
out:
    return status;
}

i3d_status flow_view(const char *source, const i3d_video_options *options,
                     const i3d_flow_options *flow, double bound, const char *target)
{
    struct view view = { .target = target, .options = flow, .bound = bound };
    struct frames frames = { 0 };
    i3d_status status;
    TRY(frames_decode(&frames, source, options));
    i3d_video_info info = i3d_video_get_info(frames.video);
    view.fps = info.fps;
    view.total = info.frames;
    TRY(frames_each(&frames, NULL, show, &view));
    TRY(i3d_video_writer_finish(view.writer));
out:
    frames_close(&frames);
    i3d_video_writer_close(view.writer);
    motion_clear(&view.motion);
    i3d_image_clear(&view.both);
    return status;
}
