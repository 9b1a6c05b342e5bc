/* A made-up data set of real video files, for the demo and for tests. */
#ifndef I3D_VIDEO_SYNTH_H
#define I3D_VIDEO_SYNTH_H

#include <i3d/status.h>

#include <stdint.h>

struct synth_options {
    int classes; /* 2..6, as many of the motions */
    int videos;  /* a class, >= 2 */
    int frames;  /* a video, >= 2 */
    int size;    /* height; the width is 4/3 of it */
    uint64_t seed;
    int jobs; /* videos at the same time; 0: one a core */
};

/* Writes target/<class>/<class>_g<group>_c<clip>.avi and target/split.csv (video, class, group,
 * subset). Two videos of a class make a group; the same groups of all classes share their textures,
 * so that no texture belongs to a class. The last quarter of the groups is for validation. The
 * target appears whole or not at all; one that exists is I3D_EINVAL. */
i3d_status synth_write(const char *target, const struct synth_options *options);

#endif
