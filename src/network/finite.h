/* A network that gives NaN or infinity has no answer: which layer begins it. */
#ifndef I3D_NETWORK_FINITE_H
#define I3D_NETWORK_FINITE_H

#include <i3d/model.h>
#include <i3d/network.h>

/* I3D_OK if all logits [count, classes] of the clips `data` are finite. Else I3D_EFORMAT, and the
 * sentence names the first layer whose parameters or values are not: the first such clip is run
 * again in plain C, which keeps them all. A `model` of NULL is a graph of others, whose layers are
 * not known. */
i3d_status finite_check(const i3d_model *model, const i3d_network_shape *shape, int count,
                        const float *data, const float *logits);

#endif
