/* The operators of a written file, run one by one in plain C: what another program would compute.
 */
#ifndef I3D_EXPORT_EVALUATE_H
#define I3D_EXPORT_EVALUATE_H

#include <i3d/checkpoint.h>

#include "export/node.h"

/* data [C, T, H, W], the sizes in `shape` -> the first `count` numbers of the graph's output.
 * Of a graph for a fixed batch one clip is run. I3D_EFORMAT for what is not a graph of ours. */
i3d_status nodes_evaluate(const struct node_list *list, const i3d_weights *weights,
                          const int64_t shape[4], const float *data, size_t count, float *out);

#endif
