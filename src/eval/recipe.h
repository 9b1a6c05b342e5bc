/* Inside the recipe, and the scalars that it and training's state are written as. */
#ifndef I3D_EVAL_RECIPE_H
#define I3D_EVAL_RECIPE_H

#include <i3d/eval.h>

#include "base/file.h"

/* `first`, and where it knows nothing `second`. */
i3d_recipe recipe_over(const i3d_recipe *first, const i3d_recipe *second);

/* With the paper's numbers for what is not known: avg, 1e-3, 64 frames of 224 from a short side of
 * 256, or another size in that proportion. */
i3d_recipe recipe_complete(const i3d_recipe *recipe);

/* The classes' names that `weights` record; none is fine. */
i3d_status recipe_names(const i3d_weights *weights, struct names *out);

/* A number among the weights; false if it is not there. */
i3d_status scalar_add(i3d_weights *weights, const char *name, double value);
bool scalar_read(const i3d_weights *weights, const char *name, double *out);

#endif
