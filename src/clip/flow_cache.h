/* The flow that loading has computed, kept for the next epoch. */
#ifndef I3D_CLIP_FLOW_CACHE_H
#define I3D_CLIP_FLOW_CACHE_H

#include "clip/dataset.h"

/* The store of a video's flow in the data set's cache, made now if nobody has: a path to be freed
 * with memory_free(). Another thread or program that is making it is waited for. */
i3d_status flow_cache_find(const struct i3d_dataset *dataset, const struct dataset_video *video,
                           char **out);

#endif
