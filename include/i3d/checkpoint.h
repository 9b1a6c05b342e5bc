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
    const char *format; /* of the file they were read from, "MindSpore checkpoint"; NULL: none */
} i3d_weights;

/* Reads any format this program knows, recognised by content: MindSpore (.ckpt, .mindir), PyTorch
 * (zip and the one before it), safetensors, TensorFlow's tensor bundle (its .index file), NumPy
 * (.npz, .npy), ONNX. The whole file is checked before it
 * is used: sizes against the file, names for doubles. */
I3D_API i3d_status i3d_weights_read(const char *path, i3d_weights *out);

/* Writes the format that the extension names: .ckpt (MindSpore), .pt, .pth (PyTorch), .safetensors,
 * .npz (NumPy). Whole or not at all. */
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

/* Whose names the weights have, "PyTorch (piergiaj)"; NULL if they are not an I3D's. */
I3D_API const char *i3d_weights_dialect(const i3d_weights *weights);

/* What became of each parameter and tensor. */
typedef struct i3d_match {
    size_t loaded, missing, extra, wrong_shape;
    size_t state; /* tensors that are no parameters and known: an optimizer's, how to run it */
    char *table;  /* a line for each that is missing, extra or of the wrong shape */
} i3d_match;

/* Copies weights into the model: the names of every dialect are known. Missing or
 * wrong-shaped parameters are I3D_EFORMAT unless `partial`, which leaves them as they are (a
 * fine-tuning start whose logits are of other classes). Where a norm was folded, one that adds the
 * convolution's bias and does no more is loaded. `match` may be NULL. */
I3D_API i3d_status i3d_model_load(i3d_model *model, const i3d_weights *weights, bool partial,
                                  i3d_match *match);
I3D_API void i3d_match_clear(i3d_match *match);

/* The same weights under the names and in the layout that files called `path` usually have:
 * MindSpore's names in .ckpt, piergiaj's PyTorch names elsewhere. A .ckpt also keeps what is not a
 * parameter. `strict`: I3D_EFORMAT if a parameter is missing, of the wrong shape or extra. Weights
 * that are not an I3D's are copied as they are, with a match of zeros. `match` may be NULL. */
I3D_API i3d_status i3d_weights_convert(const i3d_weights *weights, const char *path, bool strict,
                                       i3d_weights *out, i3d_match *match);

/* The model's parameters as weights under MindSpore's names. */
I3D_API i3d_status i3d_model_save(const i3d_model *model, i3d_weights *out);

/* An I3D from Caffe's 2-D GoogLeNet (bvlc_googlenet; weights [out, in, h, w] and biases), as the
 * paper inflates it: each kernel repeated over time and divided by its length, so that a still
 * video gives what its picture gave; of 5 x 5 kernels the middle 3 x 3, which is what I3D has.
 * Biases become the norms' shifts, with mean 0 and variance 1 - 1e-3 that leave the rest as it was.
 * `channels` 3: the first layer takes RGB in [-1, 1] instead of BGR in 0..255 less its mean; 2: its
 * channels' mean for x and for y. Classes: those of GoogLeNet's classifier. */
I3D_API i3d_status i3d_model_inflate(const i3d_weights *googlenet, int channels, i3d_model **out);

#ifdef __cplusplus
}
#endif
#endif
