/* Weights in files. */
#ifndef I3D_CHECKPOINT_H
#define I3D_CHECKPOINT_H

#include <i3d/model.h>
#include <i3d/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Named tensors, in the file's order. */
typedef struct i3d_weights {
    i3d_tensor *tensors;
    size_t count, capacity;
} i3d_weights;

/* Reads any format this program knows, recognised by content. The whole file is checked before it
 * is used: sizes against the file, names for doubles. */
I3D_API i3d_status i3d_weights_read(const char *path, i3d_weights *out);

/* Writes the format that the extension names: .ckpt (MindSpore). Whole or not at all. */
I3D_API i3d_status i3d_weights_write(const char *path, const i3d_weights *weights);
I3D_API void i3d_weights_clear(i3d_weights *weights);
I3D_API const i3d_tensor *i3d_weights_find(const i3d_weights *weights,
                                           const char *name); /* or NULL */

/* Adds a zeroed tensor; `*out` is a loan until the next add. */
I3D_API i3d_status i3d_weights_add(i3d_weights *weights, const char *name, i3d_dtype dtype,
                                   int rank, const int64_t *shape, i3d_tensor **out);

/* What the weights are of: the input channels and the classes of their logits. I3D_EFORMAT if they
 * are not an I3D's. */
I3D_API i3d_status i3d_weights_describe(const i3d_weights *weights, int *channels, int *classes);

/* What became of each parameter and tensor. */
typedef struct i3d_match {
    size_t loaded, missing, extra, wrong_shape;
    char *table; /* a line for each that is missing, extra or of the wrong shape */
} i3d_match;

/* Copies weights into the model: both spellings of the logits' names are known. Missing or
 * wrong-shaped parameters are I3D_EFORMAT unless `partial`, which leaves them as they are (a
 * fine-tuning start whose logits are of other classes). `match` may be NULL. */
I3D_API i3d_status i3d_model_load(i3d_model *model, const i3d_weights *weights, bool partial,
                                  i3d_match *match);
I3D_API void i3d_match_clear(i3d_match *match);

/* The model's parameters as weights under MindSpore's names. */
I3D_API i3d_status i3d_model_save(const i3d_model *model, i3d_weights *out);

#ifdef __cplusplus
}
#endif
#endif
