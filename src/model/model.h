/* Inside a model: its table, its parameters and the array that holds them. */
#ifndef I3D_MODEL_MODEL_H
#define I3D_MODEL_MODEL_H

#include <i3d/model.h>

#include "model/unit.h"

struct i3d_model {
    i3d_model_options options;
    struct unit *units; /* a copy of its table */
    int unit_count;
    i3d_param *params; /* `name` is the tail of `path`, which the model owns */
    size_t param_count;
    float *data; /* [data_count] */
    size_t data_count;
};

/* A network of any table; the names in `units` are loans for the model's life. Without a UNIT_HEAD
 * the last unit's value is what engines give as logits. */
i3d_status model_create(const struct unit *units, int count, const i3d_model_options *options,
                        i3d_model **out);

#endif
