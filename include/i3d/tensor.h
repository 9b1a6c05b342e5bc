/* Numbers with a shape, and the one struct in which the two halves of the library meet. */
#ifndef I3D_TENSOR_H
#define I3D_TENSOR_H

#include <i3d/status.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum i3d_dtype {
    I3D_F32,
    I3D_F64,
    I3D_F16,
    I3D_BF16,
    I3D_I8,
    I3D_U8,
    I3D_I16,
    I3D_I32,
    I3D_I64,
    I3D_BOOL
} i3d_dtype;

enum { I3D_RANK_MAX = 8 };

/* A dense tensor in C order that owns its name and data. */
typedef struct i3d_tensor {
    char *name;
    i3d_dtype dtype;
    int rank;                    /* 0: a scalar */
    int64_t shape[I3D_RANK_MAX]; /* every size >= 0 */
    void *data;                  /* i3d_tensor_count() elements */
} i3d_tensor;

I3D_API size_t i3d_dtype_size(i3d_dtype dtype);
I3D_API const char *i3d_dtype_name(i3d_dtype dtype); /* "float32", "bfloat16", ... */

/* Elements, the product of the shape. */
I3D_API size_t i3d_tensor_count(const i3d_tensor *tensor);

/* A zeroed tensor; I3D_EINVAL if the sizes overflow. */
I3D_API i3d_status i3d_tensor_create(const char *name, i3d_dtype dtype, int rank,
                                     const int64_t *shape, i3d_tensor *out);
I3D_API void i3d_tensor_clear(i3d_tensor *tensor);

/* Element `index` in C order as a double, whatever the dtype. */
I3D_API double i3d_tensor_get(const i3d_tensor *tensor, size_t index);

/* All elements as float32 into `out` [i3d_tensor_count()]. */
I3D_API void i3d_tensor_to_f32(const i3d_tensor *tensor, float *out);

/* Clips on their way from the media half to the network half. */
typedef struct i3d_batch {
    int count;    /* clips in it; the last batch of an epoch may have fewer than `capacity` */
    int capacity; /* N */
    int channels; /* C: 3 rgb, 2 flow (x, y) */
    int frames, height, width; /* T, H, W */
    float *data;               /* [N, C, T, H, W], pixels in [-1, 1] */
    int32_t *labels;           /* [N]; -1: unknown */
    int32_t
        *videos; /* [N]: index of the video in its data set, to average clips and pair streams */
} i3d_batch;

I3D_API i3d_status i3d_batch_create(int capacity, int channels, int frames, int height, int width,
                                    i3d_batch *out);
I3D_API void i3d_batch_clear(i3d_batch *batch);

#ifdef __cplusplus
}
#endif
#endif
