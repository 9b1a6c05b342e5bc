/* Clips of one network straight from a video file. */
#ifndef I3D_EVAL_READER_H
#define I3D_EVAL_READER_H

#include <i3d/eval.h>
#include <i3d/flow.h>
#include <i3d/video.h>

#include "clip/transform.h"

struct reader {
    i3d_stream stream;
    i3d_recipe recipe;
    struct cutter cutter;
    i3d_flow_options algorithm;
    i3d_flow *flow; /* for pictures of the size of `planes` */
    i3d_image grey, planes[2];
    float *field[2]; /* u, v of that size */
    float *clip;     /* [C, T, H, W] */
};

/* `flow_preset` NULL: that of data sets, "opencv". */
i3d_status reader_create(i3d_stream stream, const i3d_recipe *recipe, const char *flow_preset,
                         struct reader *out);
void reader_clear(struct reader *reader);

/* How many frames a video has: it is decoded once for that. */
i3d_status reader_count(const char *path, const i3d_video_options *options, long *out);

/* Clip `index` of `clips`, which are the centre one if they are one and else evenly spaced, of a
 * video of `frames` frames, into reader->clip. */
i3d_status reader_read(struct reader *reader, const char *path, const i3d_video_options *options,
                       long frames, int index, int clips);

#endif
