/* The inside of a data set. */
#ifndef I3D_CLIP_DATASET_H
#define I3D_CLIP_DATASET_H

#include "base/file.h"

#include <i3d/clip.h>
#include <i3d/flow.h>
#include <i3d/video.h>

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
    i3d_flow_options flow; /* of video files' flow */
    char *cache;           /* root of the stores of that flow; NULL: none are kept */
    struct names labels;
    struct dataset_video *videos;
    int count, missing;
};

#endif
