/* Inside a model: its table, its parameters and the array that holds them. */
#ifndef I3D_MODEL_MODEL_H
#define I3D_MODEL_MODEL_H

#include <i3d/model.h>

#include "model/graph.h"
#include "model/unit.h"

enum { PARAM_NAME_BYTES = 48 };

struct i3d_model {
    i3d_model_options options;
    struct unit *units; /* a copy of its table */
    int unit_count;
    struct graph graph; /* without a clip: its sizes and paddings are 0 */
    i3d_param *params;  /* the graph's, and their names */
    char (*param_names)[PARAM_NAME_BYTES];
    float *data; /* [graph.floats] */
};

/* A network of any table; the names in `units` must outlive the model. Without a UNIT_HEAD the last
 * unit's value is what engines give as logits. I3D_EUNSUPPORTED: it is larger than a graph can be.
 */
i3d_status model_create(const struct unit *units, int count, const i3d_model_options *options,
                        i3d_model **out);

/* Gamma and variance become 1, all else 0. */
void model_reset(i3d_model *model);

#endif
