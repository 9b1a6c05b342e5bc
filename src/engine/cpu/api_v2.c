#include "engine/cpu/api.h"

static const dnnl_memory_desc_t *query(const_dnnl_primitive_desc_t of, int argument)
{
    return dnnl_primitive_desc_query_md(of, dnnl_query_exec_arg_md, argument);
}

/* `shape` NULL: nothing comes after the primitive. */
static dnnl_status_t make_attributes(const struct api_shape *shape, dnnl_primitive_attr_t *out)
{
    dnnl_post_ops_t after = NULL;
    dnnl_status_t status = dnnl_primitive_attr_create(out);
    if (status != dnnl_success)
        return status;
    status = dnnl_primitive_attr_set_scratchpad_mode(*out, dnnl_scratchpad_mode_user);
    if (status != dnnl_success || !shape || !shape->fused)
        return status;
    status = dnnl_post_ops_create(&after);
    if (status == dnnl_success && shape->adds)
        status = dnnl_post_ops_append_sum(after, 1);
    if (status == dnnl_success)
        status = dnnl_post_ops_append_eltwise(after, 1, dnnl_eltwise_relu, 0, 0);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_post_ops(*out, after);
    dnnl_post_ops_destroy(after);
    return status;
}

dnnl_status_t api_convolution(dnnl_engine_t engine, const struct api_shape *shape, enum pass pass,
                              const_dnnl_primitive_desc_t forward, dnnl_primitive_desc_t *out)
{
    dnnl_memory_desc_t src, weights, bias, dst;
    dnnl_convolution_desc_t convolution;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_data_type_t weights_type = pass == PASS_BACKWARD_WEIGHTS ? dnnl_f32 : shape->type;
    dnnl_memory_desc_init_by_tag(&src, 5, shape->src, shape->type, shape->src_tag);
    dnnl_memory_desc_init_by_tag(&weights, 5, shape->weights, weights_type, dnnl_format_tag_any);
    dnnl_memory_desc_init_by_tag(&bias, 1, shape->bias, dnnl_f32, dnnl_a);
    dnnl_memory_desc_init_by_tag(&dst, 5, shape->dst, shape->type, shape->dst_tag);
    dnnl_status_t status;
    if (pass == PASS_FORWARD)
        status = dnnl_convolution_forward_desc_init(
            &convolution, dnnl_forward, dnnl_convolution_direct, &src, &weights,
            shape->fused ? &bias : NULL, &dst, shape->strides, shape->front, shape->back);
    else if (pass == PASS_BACKWARD_DATA)
        status = dnnl_convolution_backward_data_desc_init(&convolution, dnnl_convolution_direct,
                                                          &src, &weights, &dst, shape->strides,
                                                          shape->front, shape->back);
    else
        status = dnnl_convolution_backward_weights_desc_init(
            &convolution, dnnl_convolution_direct, &src, &weights, NULL, &dst, shape->strides,
            shape->front, shape->back);
    if (status == dnnl_success)
        status = make_attributes(shape, &attributes);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(out, &convolution, attributes, engine, forward);
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

static dnnl_memory_desc_t make_plain(const dnnl_memory_desc_t *like)
{
    static const dnnl_format_tag_t tags[] = {
        dnnl_format_tag_undef, dnnl_a, dnnl_ab, dnnl_abc, dnnl_abcd, dnnl_abcde
    };
    dnnl_memory_desc_t plain;
    dnnl_memory_desc_init_by_tag(&plain, like->ndims, like->dims, dnnl_f32, tags[like->ndims]);
    return plain;
}

dnnl_status_t api_reorder(dnnl_engine_t engine, struct api_argument from, struct api_argument to,
                          dnnl_primitive_desc_t *out)
{
    dnnl_memory_desc_t source, destination;
    dnnl_primitive_attr_t attributes = NULL;
    source = from.of ? *query(from.of, from.argument) : make_plain(query(to.of, to.argument));
    destination = to.of ? *query(to.of, to.argument) : make_plain(&source);
    dnnl_status_t status = make_attributes(NULL, &attributes);
    if (status == dnnl_success)
        status = dnnl_reorder_primitive_desc_create(out, &source, engine, &destination, engine,
                                                    attributes);
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

size_t api_bytes(const_dnnl_primitive_desc_t of, int argument)
{
    return dnnl_memory_desc_get_size(query(of, argument));
}

dnnl_status_t api_memory(dnnl_engine_t engine, const_dnnl_primitive_desc_t of, int argument,
                         dnnl_memory_t *out)
{
    return dnnl_memory_create(out, query(of, argument), engine, DNNL_MEMORY_NONE);
}
