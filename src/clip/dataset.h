/* The inside of a data set. */
#ifndef I3D_CLIP_DATASET_H
#define I3D_CLIP_DATASET_H

#include "base/file.h"

#include <i3d/clip.h>

#include <stdatomic.h>

struct dataset_video {
    char *name;
    char *path; /* its folder of jpgs, or its file */
    int label;
    atomic_long frames; /* of a file: 0 until someone has counted them */
};

struct i3d_dataset {
    i3d_stream stream;
    bool video; /* the paths are files, to be decoded with the next two */
    int short_side;
    double fps;
    struct names labels;
    struct dataset_video *videos;
    int count, missing;
};

#endif
