#include "flow/motion.h"
#include "base/failure.h"
#include "base/memory.h"

/* Takes all memory for frames of this size. */
static i3d_status prepare(struct motion *motion, const i3d_flow_options *options, int width,
                          int height)
{
    i3d_status status;
    size_t cells = (size_t)width * (size_t)height;
    motion_clear(motion);
    TRY(i3d_flow_create(options, width, height, &motion->flow));
    TRY(memory_get(cells, sizeof(float), &motion->u));
    TRY(memory_get(cells, sizeof(float), &motion->v));
    for (int part = 0; part < 2; part++)
        TRY(i3d_image_resize_storage(&motion->bytes[part], width, height, 1));
out:
    return status;
}

i3d_status motion_next(struct motion *motion, const i3d_flow_options *options,
                       const i3d_image *frame)
{
    i3d_status status;
    if (frame->width != motion->bytes[0].width || frame->height != motion->bytes[0].height)
        TRY(prepare(motion, options, frame->width, frame->height));
    TRY(i3d_flow_next_frame(motion->flow, frame, motion->u, motion->v));
out:
    return status;
}

void motion_restart(struct motion *motion)
{
    if (motion->flow)
        i3d_flow_restart(motion->flow);
}

void motion_to_bytes(struct motion *motion, double bound)
{
    size_t cells = (size_t)motion->bytes[0].width * (size_t)motion->bytes[0].height;
    i3d_flow_to_bytes(motion->u, cells, bound, motion->bytes[0].pixels);
    i3d_flow_to_bytes(motion->v, cells, bound, motion->bytes[1].pixels);
}

void motion_clear(struct motion *motion)
{
    i3d_flow_free(motion->flow);
    memory_free(motion->u);
    memory_free(motion->v);
    i3d_image_clear(&motion->bytes[0]);
    i3d_image_clear(&motion->bytes[1]);
    *motion = (struct motion){ 0 };
}
