/* Activations of float32. */
#include "engine/onednn/vector.h"

typedef float element;

static inline vector load(const element *from)
{
    return load_f32(from);
}

static inline void store(vector value, element *to)
{
    store_f32(value, to);
}
