#include "flow/flow.h"
#include "base/failure.h"
#include "base/memory.h"
#include "flow/solver.h"

#include <string.h>

/* A picture's pyramid and its range of grey values. */
struct picture {
    float *levels;
    uint8_t least, most;
};

struct i3d_flow {
    i3d_flow_options options;
    int width, height;
    struct pyramid pyramid;
    struct picture pictures[2]; /* the one before and the newest, in turn */
    int newest;
    bool started;
    float *scratch;
    struct solver solver;
    i3d_image grey; /* of a frame in RGB */
};

i3d_status i3d_flow_create(const i3d_flow_options *options, int width, int height, i3d_flow **out)
{
    i3d_flow *flow = NULL;
    i3d_status status;
    *out = NULL;
    TRY(flow_options_check(options));
    if (width < 1 || height < 1 || width > FLOW_SIDE_MAX || height > FLOW_SIDE_MAX)
        return failure(I3D_EINVAL, "cannot compute flow of %d x %d pixels; a side is 1 to %d",
                       width, height, FLOW_SIDE_MAX);
    TRY(memory_get(1, sizeof *flow, &flow));
    flow->options = *options;
    flow->width = width;
    flow->height = height;
    flow->pyramid = pyramid_plan(&flow->options, width, height);
    for (int i = 0; i < 2; i++)
        TRY(memory_get(flow->pyramid.floats, sizeof(float), &flow->pictures[i].levels));
    TRY(memory_get((size_t)width * ((size_t)height + 1), 2 * sizeof(float), &flow->scratch));
    TRY(solver_create(&flow->options, width, height, &flow->solver));
    TRY(i3d_image_resize_storage(&flow->grey, width, height, 1));
    *out = flow;
    flow = NULL;
out:
    i3d_flow_free(flow);
    return status;
}

void i3d_flow_free(i3d_flow *flow)
{
    if (!flow)
        return;
    for (int i = 0; i < 2; i++)
        memory_free(flow->pictures[i].levels);
    memory_free(flow->scratch);
    solver_clear(&flow->solver);
    i3d_image_clear(&flow->grey);
    memory_free(flow);
}

static void take_picture(i3d_flow *flow, const uint8_t *grey)
{
    flow->newest = !flow->newest;
    struct picture *picture = &flow->pictures[flow->newest];
    size_t count = (size_t)flow->width * (size_t)flow->height;
    picture->least = UINT8_MAX;
    picture->most = 0;
    for (size_t i = 0; i < count; i++) {
        picture->least = grey[i] < picture->least ? grey[i] : picture->least;
        picture->most = grey[i] > picture->most ? grey[i] : picture->most;
    }
    pyramid_build(&flow->pyramid, grey, flow->scratch, picture->levels);
}

/* What stretches the range of both pictures to 0..255. */
static float gain_of(const i3d_flow *flow)
{
    const struct picture *a = &flow->pictures[0], *b = &flow->pictures[1];
    int least = a->least < b->least ? a->least : b->least;
    int most = a->most > b->most ? a->most : b->most;
    return flow->options.stretch && most > least ? 255.0f / (float)(most - least) : 1.0f;
}

static void solve(i3d_flow *flow, float *u, float *v)
{
    const float *from = flow->pictures[!flow->newest].levels;
    const float *to = flow->pictures[flow->newest].levels;
    float gain = gain_of(flow);
    const struct level *coarser = NULL;
    for (int i = flow->pyramid.count - 1; i >= 0; i--) {
        const struct level *level = &flow->pyramid.levels[i];
        solver_run(&flow->solver, level, coarser, from + level->grey, to + level->taps, gain,
                   flow->scratch, u, v);
        coarser = level;
    }
}

i3d_status i3d_flow_run(i3d_flow *flow, const uint8_t *from, const uint8_t *to, float *u, float *v)
{
    take_picture(flow, from);
    flow->started = true;
    return i3d_flow_next(flow, to, u, v);
}

i3d_status i3d_flow_next(i3d_flow *flow, const uint8_t *grey, float *u, float *v)
{
    size_t bytes = (size_t)flow->width * (size_t)flow->height * sizeof(float);
    take_picture(flow, grey);
    if (flow->started) {
        solve(flow, u, v);
    } else {
        memset(u, 0, bytes);
        memset(v, 0, bytes);
    }
    flow->started = true;
    return I3D_OK;
}

i3d_status i3d_flow_next_frame(i3d_flow *flow, const i3d_image *frame, float *u, float *v)
{
    i3d_status status;
    if (frame->width != flow->width || frame->height != flow->height)
        return failure(I3D_EINVAL, "a frame of %d x %d among those of %d x %d", frame->width,
                       frame->height, flow->width, flow->height);
    if (frame->channels == 1)
        return i3d_flow_next(flow, frame->pixels, u, v);
    TRY(i3d_image_grey(frame, &flow->grey));
    TRY(i3d_flow_next(flow, flow->grey.pixels, u, v));
out:
    return status;
}

void i3d_flow_restart(i3d_flow *flow)
{
    flow->started = false;
}

void i3d_flow_to_bytes(const float *flow, size_t count, double bound, uint8_t *out)
{
    double scale = 255 / (2 * bound);
    for (size_t i = 0; i < count; i++) {
        double level = ((double)flow[i] + bound) * scale;
        level = level > 0 ? level : 0;
        level = level < 255 ? level : 255;
        /* Adding and taking away 1.5 * 2^52 rounds, halves to even. */
        out[i] = (uint8_t)((level + 6755399441055744.0) - 6755399441055744.0);
    }
}
