/* Pools over windows of a map: the maximum (of the first where several are equal; padding never
 * wins) and the mean (of windows without padding). */
#ifndef I3D_ENGINE_REFERENCE_POOL_H
#define I3D_ENGINE_REFERENCE_POOL_H

#include <i3d/status.h>

#include "base/thread.h"
#include "engine/reference/maps.h"
#include "model/graph.h"

#include <stdbool.h>

struct pool {
    const struct op *op;
    int count;
    struct team *team;
    bool mean;
};

i3d_status pool_forward(const struct pool *pool, struct maps in, struct maps out);

/* Adds to in_gradient. */
i3d_status pool_backward(const struct pool *pool, struct maps in, struct maps out_gradient,
                         struct maps in_gradient);

#endif
