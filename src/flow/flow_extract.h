/* The flow of a whole data set: stores target/class/video, from its videos or from its frames. */
#ifndef I3D_FLOW_FLOW_EXTRACT_H
#define I3D_FLOW_FLOW_EXTRACT_H

#include "flow/flow_writer.h"

#include <i3d/video.h>

struct flow_extract {
    const char *source; /* source/class/video.ext, or stores of frames */
    bool videos;        /* which of the two */
    i3d_video_options video;
    struct flow_writer_options writer; /* `threads` is set here */
    int jobs; /* videos at the same time, 0: one a core; one video alone gets them all */
};

struct flow_extracted {
    size_t videos, finished_before, failed;
    long frames;    /* computed now */
    double seconds; /* it took */
};

/* A video's store appears whole or not at all; one that is there is left alone. Failures stop no
 * other video and are listed in target/failures.csv. */
i3d_status flow_extract(const struct flow_extract *request, const char *target,
                        struct flow_extracted *out);

#endif
