/* From the table of units to the operations and their parameters. */
#ifndef I3D_MODEL_BUILD_H
#define I3D_MODEL_BUILD_H

#include "model/model.h"

/* Fills the graph and the parameters' table of a model that has its units and options. */
i3d_status model_build(i3d_model *model);

#endif
