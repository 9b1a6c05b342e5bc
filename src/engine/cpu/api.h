/* The few calls in which oneDNN's C API 2.x (api_v2.c) and 3.x (api_v3.c) differ. */
#ifndef I3D_ENGINE_CPU_API_H
#define I3D_ENGINE_CPU_API_H

#include "engine/cpu/primitive.h"

#include <oneapi/dnnl/dnnl.h>

/* A convolution in oneDNN's words. */
struct api_shape {
    dnnl_dims_t src, weights, bias, dst, strides, front, back;
    dnnl_data_type_t type;
    dnnl_format_tag_t src_tag, dst_tag;
    bool fused, adds;
};

/* `forward` is NULL for the forward pass itself. */
dnnl_status_t api_convolution(dnnl_engine_t engine, const struct api_shape *shape, enum pass pass,
                              const_dnnl_primitive_desc_t forward, dnnl_primitive_desc_t *out);

/* DNNL_ARG_... of a primitive; zeroed memory is row-major float32. */
struct api_argument {
    const_dnnl_primitive_desc_t of;
    int argument;
};

/* One of the two is of a primitive, and has the sizes. */
dnnl_status_t api_reorder(dnnl_engine_t engine, struct api_argument from, struct api_argument to,
                          dnnl_primitive_desc_t *out);

/* Of an argument: its bytes, and a memory object without data. */
size_t api_bytes(const_dnnl_primitive_desc_t of, int argument);
dnnl_status_t api_memory(dnnl_engine_t engine, const_dnnl_primitive_desc_t of, int argument,
                         dnnl_memory_t *out);

#endif
