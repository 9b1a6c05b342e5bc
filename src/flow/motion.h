/* The motion of a video's frames, one after another. */
#ifndef I3D_FLOW_MOTION_H
#define I3D_FLOW_MOTION_H

#include <i3d/flow.h>

/* How motion is computed, and how it becomes bytes. */
struct motion_options {
    i3d_flow_options flow;
    double bound; /* motions of -bound..bound pixels become bytes 0..255 */
};

/* One a thread, zeroed at first. Allocates only for frames of another size than those before. */
struct motion {
    i3d_flow *flow;
    float *u, *v;       /* of the newest frame, [height, width] */
    i3d_image bytes[2]; /* the same after motion_to_bytes(): as a lossless store holds them */
};

/* The next frame, in RGB: its motion from the one before it. That of the first, of the first after
 * a restart and of the first of another size is zero. */
i3d_status motion_next(struct motion *motion, const i3d_flow_options *options,
                       const i3d_image *frame);
void motion_restart(struct motion *motion);
void motion_to_bytes(struct motion *motion, double bound);
void motion_clear(struct motion *motion);

#endif
