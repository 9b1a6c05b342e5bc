/* LANES float32 side by side, by the compilers' vector extension. */
#include "engine/cpu/kernels.h"

#include <string.h>

typedef float vector __attribute__((vector_size(4 * LANES)));
typedef int32_t mask __attribute__((vector_size(4 * LANES)));
typedef uint32_t bits __attribute__((vector_size(4 * LANES)));
typedef uint16_t halves __attribute__((vector_size(2 * LANES)));
typedef uint8_t bytes __attribute__((vector_size(LANES)));

static inline vector fill(float value)
{
    return value - (vector){ 0 };
}

/* yes where `where` is true (all ones), no elsewhere. */
static inline vector select(mask where, vector yes, vector no)
{
    return (vector)(((mask)yes & where) | ((mask)no & ~where));
}

static inline vector load_f32(const float *from)
{
    vector value;
    memcpy(&value, from, sizeof value);
    return value;
}

static inline void store_f32(vector value, float *to)
{
    memcpy(to, &value, sizeof value);
}
