/* The channels of an activation [N, C, t, h, w] that one operation reads or writes. */
#ifndef I3D_ENGINE_REFERENCE_SLICE_H
#define I3D_ENGINE_REFERENCE_SLICE_H

#include <stddef.h>

struct slice {
    float *data;   /* first channel of the slice in the first sample */
    size_t sample; /* floats from one sample to the next */
    size_t map;    /* floats from one channel to the next: t * h * w */
};

static inline float *slice_channel(const struct slice *slice, int n, int c)
{
    return slice->data + (size_t)n * slice->sample + (size_t)c * slice->map;
}

#endif
