/* From a picture to a square of numbers: scale, crop, mirror, [0, 255] -> [-1, 1]. */
#ifndef I3D_CLIP_TRANSFORM_H
#define I3D_CLIP_TRANSFORM_H

#include "base/random.h"

#include <i3d/image.h>

#include <stdbool.h>

/* The picture is scaled to width x height, and of that the square at x, y taken. */
struct cut {
    int width, height, x, y;
    bool flip; /* mirrored left to right */
};

/* Where to cut pictures of this size: short side to `resize` (0: off) with the aspect kept, then
 * `size` x `size` from anywhere, or with `random` NULL from the centre, rounding halves to even as
 * Python does. I3D_EINVAL if that does not fit. */
i3d_status cut_choose(int width, int height, int resize, int size, struct random *random,
                      struct cut *out);

/* What to make of the pixels. */
struct pixels {
    bool bgr;    /* of three channels the last one first */
    bool invert; /* v -> 255 - v: the horizontal part of mirrored flow */
};

/* Cuts pictures to size x size; all memory is taken at creation. One a thread. */
struct cutter {
    int size;
    float values[256]; /* v / 255 * 2 - 1 */
    int *left, *right; /* [size]: source columns of each column, as offsets of bytes */
    float *weight;     /* [size]: of the right one */
    float *rows[2];    /* [3, size]: source rows stretched to the crop's columns, even and odd */
    int held[2];       /* which rows those are */
};
i3d_status cutter_create(int size, struct cutter *out);
void cutter_clear(struct cutter *cutter);

/* Channel c of the picture [height, width, channels] goes to out + c * stride, [size, size].
 * Scaling is bilinear with pixel centres aligned, only of what is taken, and not rounded to bytes.
 */
void cutter_run(struct cutter *cutter, const i3d_image *image, const struct cut *cut,
                const struct pixels *pixels, float *out, size_t stride);

#endif
