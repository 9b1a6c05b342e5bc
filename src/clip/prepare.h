/* A data set of video files made ready for training: frames, flow and annotation, in the tree
 *
 *     root/{rgb,flow}/<data set>/jpg/<class>/<video>/             or <video>.mkv
 *     root/{rgb,flow}/<data set>/annotation/<data set>_1.json
 *     root/failures.csv                                           if any video failed */
#ifndef I3D_CLIP_PREPARE_H
#define I3D_CLIP_PREPARE_H

#include "clip/annotate.h"
#include "flow/flow_writer.h"

#include <i3d/video.h>

struct prepare {
    const char *videos; /* videos/<class>/<video file> */
    struct split_rule rule;
    i3d_video_options video;
    struct flow_writer_options flow; /* its store's form and quality are those of the frames too,
                                        its threads are set here */
    int jobs;                        /* videos at the same time; 0: one a core */
};

struct prepared {
    size_t videos, finished_before, failed;
    size_t missing;  /* in the split, but not there */
    size_t nameless; /* there, but the annotation cannot hold their names */
    long frames;     /* written now */
};

/* Decodes each video once. A store of frames or flow appears whole or not at all, and one that is
 * there is left alone, so that the call can be repeated until all is done. Failures stop no other
 * video; the annotation lists those that are finished. */
i3d_status prepare_run(const struct prepare *request, const char *root, struct prepared *out);

#endif
