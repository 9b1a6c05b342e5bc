/* Which frames a clip is made of. Frames are counted from 0. */
#ifndef I3D_CLIP_SAMPLING_H
#define I3D_CLIP_SAMPLING_H

#include "base/random.h"

#include <stdbool.h>

/* Frames begin, begin + 1, ... begin + count - 1, over and over until the clip is full. */
struct span {
    long begin, count;
};

/* A clip of `wanted` frames of a video's `frames` (both > 0): from the middle; at any place with
 * equal chance (`off_by_one`: never at the last, as the original); the k-th of `clips` whose first
 * begins with the video and whose last ends with it. */
struct span span_centre(long frames, long wanted);
struct span span_random(long frames, long wanted, bool off_by_one, struct random *random);
struct span span_even(long frames, long wanted, long k, long clips);

#endif
