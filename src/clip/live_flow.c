#include "clip/live_flow.h"
#include "base/failure.h"
#include "base/memory.h"

/* Takes all memory for frames of this size. */
static i3d_status prepare(struct live_flow *live, const i3d_flow_options *options, int width,
                          int height)
{
    i3d_status status;
    size_t cells = (size_t)width * (size_t)height;
    live_flow_clear(live);
    TRY(i3d_flow_create(options, width, height, &live->flow));
    TRY(memory_get(cells, sizeof(float), &live->u));
    TRY(memory_get(cells, sizeof(float), &live->v));
    for (int plane = 0; plane < 2; plane++)
        TRY(i3d_image_resize_storage(&live->planes[plane], width, height, 1));
    live->width = width;
    live->height = height;
out:
    return status;
}

i3d_status live_flow_next(struct live_flow *live, const i3d_flow_options *options,
                          const i3d_image *frame, bool restart)
{
    i3d_status status;
    size_t cells = (size_t)frame->width * (size_t)frame->height;
    if (frame->width != live->width || frame->height != live->height)
        TRY(prepare(live, options, frame->width, frame->height));
    if (restart)
        i3d_flow_restart(live->flow);
    TRY(i3d_image_grey(frame, &live->grey));
    TRY(i3d_flow_next(live->flow, live->grey.pixels, live->u, live->v));
    i3d_flow_to_bytes(live->u, cells, LIVE_FLOW_BOUND, live->planes[0].pixels);
    i3d_flow_to_bytes(live->v, cells, LIVE_FLOW_BOUND, live->planes[1].pixels);
out:
    return status;
}

void live_flow_clear(struct live_flow *live)
{
    i3d_flow_free(live->flow);
    memory_free(live->u);
    memory_free(live->v);
    i3d_image_clear(&live->grey);
    i3d_image_clear(&live->planes[0]);
    i3d_image_clear(&live->planes[1]);
    *live = (struct live_flow){ 0 };
}
