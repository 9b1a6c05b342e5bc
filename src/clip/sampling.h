/* Which frames a clip is made of. Frames are counted from 0. */
#ifndef I3D_CLIP_SAMPLING_H
#define I3D_CLIP_SAMPLING_H

#include "base/random.h"

#include <stdbool.h>

/* Frames begin, begin + 1, ... begin + count - 1, over and over until the clip is full. */
struct window {
    long begin, count;
    bool open; /* nobody has counted: it ends with the video if that ends first */
};

/* A clip of `wanted` frames of a video's `frames` (both > 0): from the middle; at any place with
 * equal chance (`off_by_one`: never at the last, as the original); the k-th of `clips` whose first
 * begins with the video and whose last ends with it. */
struct window window_centre(long frames, long wanted);
struct window window_random(long frames, long wanted, bool off_by_one, struct random *random);
struct window window_even(long frames, long wanted, long k, long clips);

/* The k-th of windows that begin every `stride` frames, of a video of any length. */
struct window window_sliding(long wanted, long stride, long k);

#endif
