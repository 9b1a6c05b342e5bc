#include <i3d/tensor.h>

#include "base/failure.h"
#include "base/memory.h"
#include "tensor/half.h"

#include <string.h>

static const struct {
    const char *name;
    size_t size;
} dtypes[] = {
    [I3D_F32] = { "float32", 4 },   [I3D_F64] = { "float64", 8 }, [I3D_F16] = { "float16", 2 },
    [I3D_BF16] = { "bfloat16", 2 }, [I3D_I8] = { "int8", 1 },     [I3D_U8] = { "uint8", 1 },
    [I3D_I16] = { "int16", 2 },     [I3D_I32] = { "int32", 4 },   [I3D_I64] = { "int64", 8 },
    [I3D_BOOL] = { "bool", 1 },
};

size_t i3d_dtype_size(i3d_dtype dtype)
{
    return dtypes[dtype].size;
}

const char *i3d_dtype_name(i3d_dtype dtype)
{
    return dtypes[dtype].name;
}

size_t i3d_tensor_count(const i3d_tensor *tensor)
{
    size_t count = 1;
    for (int i = 0; i < tensor->rank; i++)
        count *= (size_t)tensor->shape[i];
    return count;
}

i3d_status i3d_tensor_create(const char *name, i3d_dtype dtype, int rank, const int64_t *shape,
                             i3d_tensor *out)
{
    i3d_status status;
    size_t count = 1;
    *out = (i3d_tensor){ .dtype = dtype, .rank = rank };
    if (rank < 0 || rank > I3D_RANK_MAX)
        return failure(I3D_EINVAL, "tensor '%s' has %d dimensions; at most %d are possible", name,
                       rank, I3D_RANK_MAX);
    for (int i = 0; i < rank; i++) {
        out->shape[i] = shape[i];
        if (shape[i] < 0 || __builtin_mul_overflow(count, (size_t)shape[i], &count))
            return failure(I3D_EINVAL, "tensor '%s' has an impossible shape", name);
    }
    TRY(memory_string(name, &out->name));
    TRY(memory_get(count, i3d_dtype_size(dtype), &out->data));
out:
    if (status != I3D_OK)
        i3d_tensor_clear(out);
    return status;
}

void i3d_tensor_clear(i3d_tensor *tensor)
{
    if (!tensor)
        return;
    memory_free(tensor->name);
    memory_free(tensor->data);
    *tensor = (i3d_tensor){ 0 };
}

double i3d_tensor_get(const i3d_tensor *tensor, size_t index)
{
    switch (tensor->dtype) {
    case I3D_F32:
        return ((const float *)tensor->data)[index];
    case I3D_F64:
        return ((const double *)tensor->data)[index];
    case I3D_F16:
        return half_to_float(((const uint16_t *)tensor->data)[index]);
    case I3D_BF16:
        return bf16_to_float(((const uint16_t *)tensor->data)[index]);
    case I3D_I8:
        return ((const int8_t *)tensor->data)[index];
    case I3D_U8:
    case I3D_BOOL:
        return ((const uint8_t *)tensor->data)[index];
    case I3D_I16:
        return ((const int16_t *)tensor->data)[index];
    case I3D_I32:
        return ((const int32_t *)tensor->data)[index];
    case I3D_I64:
        return (double)((const int64_t *)tensor->data)[index];
    }
    return 0;
}

void i3d_tensor_to_f32(const i3d_tensor *tensor, float *out)
{
    size_t count = i3d_tensor_count(tensor);
    if (tensor->dtype == I3D_F32) {
        memcpy(out, tensor->data, count * sizeof *out);
        return;
    }
    for (size_t i = 0; i < count; i++)
        out[i] = (float)i3d_tensor_get(tensor, i);
}

i3d_status i3d_batch_create(int capacity, int channels, int frames, int height, int width,
                            i3d_batch *out)
{
    i3d_status status;
    *out = (i3d_batch){ .capacity = capacity,
                        .channels = channels,
                        .frames = frames,
                        .height = height,
                        .width = width };
    if (capacity < 1 || channels < 1 || frames < 1 || height < 1 || width < 1)
        return failure(I3D_EINVAL, "a batch of %d x [%d, %d, %d, %d] is empty", capacity, channels,
                       frames, height, width);
    size_t clip = (size_t)channels * (size_t)frames, map = (size_t)height * (size_t)width;
    if (__builtin_mul_overflow(clip, map, &clip) ||
        __builtin_mul_overflow(clip, sizeof *out->data, &clip))
        return failure(I3D_ENOMEM, "a clip of [%d, %d, %d, %d] is more than an address can hold",
                       channels, frames, height, width);
    TRY(memory_get((size_t)capacity, clip, &out->data));
    TRY(memory_get((size_t)capacity, sizeof *out->labels, &out->labels));
    TRY(memory_get((size_t)capacity, sizeof *out->videos, &out->videos));
out:
    if (status != I3D_OK)
        i3d_batch_clear(out);
    return status;
}

void i3d_batch_clear(i3d_batch *batch)
{
    if (!batch)
        return;
    memory_free(batch->data);
    memory_free(batch->labels);
    memory_free(batch->videos);
    *batch = (i3d_batch){ 0 };
}
