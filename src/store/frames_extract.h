/* The frames of a whole data set: stores target/<class>/<video>, from source/<class>/<video file>.
 */
#ifndef I3D_STORE_FRAMES_EXTRACT_H
#define I3D_STORE_FRAMES_EXTRACT_H

#include "store/store.h"

#include <i3d/video.h>

struct frames_extract {
    const char *source;
    i3d_video_options video;
    struct store_options store; /* of one plane */
    int jobs;                   /* videos at the same time; 0: one a core */
};

struct frames_extracted {
    size_t videos, finished_before, failed;
    long frames; /* written now */
};

/* A video's store appears whole or not at all; one that is there is left alone. Failures stop no
 * other video and are listed in target/failures.csv. */
i3d_status frames_extract(const struct frames_extract *request, const char *target,
                          struct frames_extracted *out);

#endif
