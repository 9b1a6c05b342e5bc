/* The frames of stores of frames or flow, counted anew and checked. */
#ifndef I3D_STORE_NFRAMES_H
#define I3D_STORE_NFRAMES_H

#include <i3d/status.h>

#include <stdbool.h>
#include <stddef.h>

/* The pictures of a store, by their names or times: frames count from 1 and should have no gap. */
struct numbering {
    long highest;        /* 0: there is none */
    long missing, first; /* below it; the first of them */
    bool flow;           /* a folder of pairs */
};
i3d_status store_number(const char *path, struct numbering *out);

struct nframes {
    size_t videos;
    long frames;     /* of all videos */
    size_t gaps;     /* videos with missing frames, or with none at all */
    size_t mismatch; /* videos whose number is not that of the rgb, or that only one side has */
};

/* Writes the highest index of each folder root/<class>/<video> into its n_frames:
 * image_<index>.jpg, or of flow image_<index>x.jpg and image_<index>y.jpg. A file
 * root/<class>/<video>.mkv is only looked through. With `rgb` (may be NULL) compares with the
 * frames there. Tells each video that is not as it should be. */
i3d_status nframes_write(const char *root, const char *rgb, struct nframes *out);

#endif
