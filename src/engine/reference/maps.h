/* The channels of an activation [N, C, t, h, w] that one operation reads or writes. */
#ifndef I3D_ENGINE_REFERENCE_MAPS_H
#define I3D_ENGINE_REFERENCE_MAPS_H

#include <stddef.h>

struct maps {
    float *data;   /* first of the channels, in the first sample */
    size_t sample; /* floats from one sample to the next */
    size_t map;    /* floats from one channel to the next: t * h * w */
};

static inline float *maps_channel(const struct maps *maps, int n, int c)
{
    return maps->data + (size_t)n * maps->sample + (size_t)c * maps->map;
}

#endif
