/* The pictures of one video after another: from a store, decoded, or flow computed. */
#ifndef I3D_CLIP_SOURCE_H
#define I3D_CLIP_SOURCE_H

#include "clip/dataset.h"
#include "clip/live_flow.h"
#include "store/store.h"

struct source {
    const struct i3d_dataset *dataset; /* a loan */
    struct dataset_video *video;
    struct store_reader store;
    i3d_video *decoder;
    long next; /* the decoder's next frame */
    struct live_flow flow;
    long flow_of; /* the frame whose flow it holds; -1: none of this video */
};

/* Begins with video `index`, which has `*frames` frames. */
i3d_status source_begin(struct source *source, int index, long *frames);

/* How many pictures a frame is: 1 (RGB), or 2 (grey: the flow's x, then its y). */
int source_planes(const struct source *source);

/* Picture `plane` of frame `frame`, which is not before the one read last; a loan until the next. A
 * picture that is missing or not whole is I3D_EIO or I3D_EFORMAT and is named. */
i3d_status source_read(struct source *source, long frame, int plane, const i3d_image **out);

void source_clear(struct source *source);

#endif
