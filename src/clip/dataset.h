/* The inside of a data set. */
#ifndef I3D_CLIP_DATASET_H
#define I3D_CLIP_DATASET_H

#include "base/file.h"

#include "flow/motion.h"
#include "store/frames.h"

#include <i3d/clip.h>

#include <stdatomic.h>

struct dataset_video {
    char *name;
    char *path; /* its store, or its video file */
    int label;
    atomic_long frames; /* of a file: 0 until someone has counted them */
};

struct i3d_dataset {
    i3d_stream stream;
    bool video; /* the paths are files, to be decoded like this: */
    i3d_video_options decode;
    struct motion_options flow; /* of video files' flow */
    char *cache;                /* root of the stores of that flow; NULL: none are kept */
    struct names labels;
    struct dataset_video *videos;
    int count, missing;
};

/* How loading computes the flow of this data set; NULL: its frames are what they should be. */
const struct motion_options *dataset_motion(const struct i3d_dataset *dataset);

/* Opens the frames of a video, which has `*count`: of a file they are counted if nobody has. */
i3d_status dataset_open_frames(const struct i3d_dataset *dataset, int video, struct frames *frames,
                               long *count);

#endif
