/* Makes clips: frames of a video, cut, as numbers. */
#ifndef I3D_CLIP_CLIP_H
#define I3D_CLIP_CLIP_H

#include "clip/sampling.h"
#include "clip/source.h"
#include "clip/transform.h"

i3d_status clip_check(const i3d_clip_options *options); /* I3D_EINVAL: out of range */

/* One a thread. Allocates only until it has seen the largest picture (and decoders). */
struct clip_maker {
    const i3d_clip_options *options; /* a loan */
    struct source source;
    struct cutter cutter;
};
i3d_status clip_maker_create(const struct i3d_dataset *dataset, const i3d_clip_options *options,
                             struct clip_maker *out);
void clip_maker_clear(struct clip_maker *maker);

/* Clip `index` of `clips_per_video` (in training 0) of a video into `out` [C, T, H, W]. Everything
 * random about it comes from `random`. */
i3d_status clip_make(struct clip_maker *maker, int video, int index, struct random random,
                     float *out);

#endif
