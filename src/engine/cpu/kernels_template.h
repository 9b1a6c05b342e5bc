/* The kernels for one kind of element: LANES, the vector header and TABLE are given. */

static inline int block_count(struct slice slice)
{
    return (slice.channels + LANES - 1) / LANES;
}

/* Where block b of sample n begins among the planes of a dense slice. */
static inline size_t plane_number(struct slice slice, int n, int b)
{
    return ((size_t)n * (size_t)block_count(slice) + (size_t)b) * slice.map * LANES;
}

/* Where block b of sample n begins. */
static inline void *plane_of(struct slice slice, int n, int b)
{
    return (element *)slice.data + (size_t)n * slice.sample + (size_t)b * slice.map * LANES;
}

#include "engine/cpu/layout_template.h"
#include "engine/cpu/norm_template.h"
#include "engine/cpu/pool_template.h"

const struct kernels TABLE = {
    .lanes = LANES,
    .element = sizeof(element),
    .convert = convert,
    .pack = pack,
    .unpack = unpack,
    .add = add,
    .pool = pool,
    .pool_backward = pool_backward,
    .norm_measure = norm_measure,
    .norm_apply = norm_apply,
    .norm_sum = norm_sum,
    .norm_backward = norm_backward,
};
