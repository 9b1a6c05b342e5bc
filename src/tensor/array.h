/* Numbers somewhere in a machine's memory, without a shape. */
#ifndef I3D_TENSOR_ARRAY_H
#define I3D_TENSOR_ARRAY_H

#include <i3d/tensor.h>

enum memory_kind { MEMORY_HOST, MEMORY_CUDA };

struct array {
    void *data;
    size_t count;
    i3d_dtype dtype; /* I3D_F32 or I3D_F64 */
    enum memory_kind kind;
};

#endif
