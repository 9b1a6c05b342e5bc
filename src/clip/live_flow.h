/* Flow computed while loading: bytes as a lossless store would hold them. */
#ifndef I3D_CLIP_LIVE_FLOW_H
#define I3D_CLIP_LIVE_FLOW_H

#include "clip/dataset.h"

#include <i3d/flow.h>
#include <i3d/image.h>

enum { LIVE_FLOW_BOUND = 20 }; /* motions of -20..20 pixels become bytes 0..255 */

/* One a thread, zeroed at first. */
struct live_flow {
    i3d_flow *flow;
    int width, height;
    float *u, *v;
    i3d_image grey, planes[2];
};

/* The next frame's flow, from the one before it, into `planes`; zero for the first after
 * `restart`. */
i3d_status live_flow_next(struct live_flow *live, const i3d_flow_options *options,
                          const i3d_image *frame, bool restart);
void live_flow_clear(struct live_flow *live);

/* The store of a video's flow in the data set's cache, made now if nobody has: a path to be freed
 * with memory_free(). Another thread or program that is making it is waited for. */
i3d_status flow_cache_find(const struct i3d_dataset *dataset, const struct dataset_video *video,
                           char **out);

#endif
