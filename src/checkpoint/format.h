/* Inside the reading and writing of weights: the table of formats, one file each. */
#ifndef I3D_CHECKPOINT_FORMAT_H
#define I3D_CHECKPOINT_FORMAT_H

#include <i3d/checkpoint.h>

#include "checkpoint/dialects.h"
#include "wire/bytes.h"

#include <stdio.h>

/* A file in memory. */
struct source {
    const char *path;
    struct bytes bytes;
};

struct format {
    const char *name;       /* "MindSpore checkpoint" */
    const char *extensions; /* of the files it writes, ".pt .pth"; NULL: it is only read */

    /* How sure it is, from the first bytes, that this is its kind: 0 not at all; the highest wins.
     */
    int (*bid)(const struct source *source);

    /* Adds the file's tensors to `out`. */
    i3d_status (*read)(const struct source *source, i3d_weights *out);
    i3d_status (*write)(FILE *stream, const i3d_weights *weights); /* a short write shows later */
    int dialect; /* whose names an I3D has in such files, enum dialect_index */
};

extern const struct format weights_mindspore, weights_torch, weights_safetensors, weights_numpy,
    weights_tensorflow, weights_tensorflow_v1, weights_onnx, weights_mindir;

/* Recognises, reads and checks a file in memory: i3d_weights_read() without the file. */
i3d_status weights_parse(const struct source *source, i3d_weights *out);

/* The format that writes files called `path`; I3D_EINVAL lists the extensions. */
i3d_status format_find(const char *path, const struct format **out);

/* A tensor whose data is copied from `data`, which must have the bytes its shape asks for:
 * I3D_EFORMAT if not. */
i3d_status weights_add_data(i3d_weights *weights, const char *name, i3d_dtype dtype, int rank,
                            const int64_t *shape, struct bytes data);

/* A tensor as others store it: elements of `storage` from `offset`, `strides` apart, all counted in
 * elements. */
struct view {
    i3d_dtype dtype;
    int rank;
    int64_t offset, shape[I3D_RANK_MAX], strides[I3D_RANK_MAX];
    struct bytes storage;
};

/* A tensor copied from a view into C order: I3D_EFORMAT if the view leaves its storage or shows
 * more elements than that has. */
i3d_status weights_add_view(i3d_weights *weights, const char *name, const struct view *view);

/* Whether a view's elements stand in C order without gaps. */
bool view_is_dense(const struct view *view);

/* Its `count` elements in C order, all of which must be in the storage. */
void view_gather(const struct view *view, size_t count, uint8_t *out);

size_t tensor_bytes(const i3d_tensor *tensor);

/* The elements of a shape in bytes; false if a size is negative or the product overflows. */
bool shape_bytes(i3d_dtype dtype, int rank, const int64_t *shape, size_t *out);

/* A dtype by its name in a format's list of names, whose index is the i3d_dtype; false: unknown. */
bool dtype_find(const char *const names[], struct bytes name, i3d_dtype *out);

#endif
