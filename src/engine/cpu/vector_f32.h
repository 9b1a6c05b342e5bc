/* Activations of float32. */
#include "engine/cpu/vector.h"

typedef float element;

static inline vector load(const element *from)
{
    return load_f32(from);
}

/* Of what an element can be exactly. */
static inline void store_exact(vector value, element *to)
{
    store_f32(value, to);
}

static inline void store(vector value, element *to)
{
    store_f32(value, to);
}
