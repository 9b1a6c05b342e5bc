#include "engine/cpu/api.h"

static const_dnnl_memory_desc_t query(const_dnnl_primitive_desc_t of, int argument)
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
        status = dnnl_post_ops_append_sum(after, 1, 0, dnnl_data_type_undef);
    if (status == dnnl_success)
        status = dnnl_post_ops_append_eltwise(after, dnnl_eltwise_relu, 0, 0);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_post_ops(*out, after);
    dnnl_post_ops_destroy(after);
    return status;
}

/* The descriptions of what a convolution reads and writes. */
struct parts {
    dnnl_memory_desc_t src, weights, bias, dst;
};

static dnnl_status_t make_parts(const struct api_shape *shape, enum pass pass, struct parts *out)
{
    dnnl_data_type_t weights_type = pass == PASS_BACKWARD_WEIGHTS ? dnnl_f32 : shape->type;
    dnnl_status_t status =
        dnnl_memory_desc_create_with_tag(&out->src, 5, shape->src, shape->type, shape->src_tag);
    if (status == dnnl_success)
        status = dnnl_memory_desc_create_with_tag(&out->weights, 5, shape->weights, weights_type,
                                                  dnnl_format_tag_any);
    if (status == dnnl_success && shape->fused)
        status = dnnl_memory_desc_create_with_tag(&out->bias, 1, shape->bias, dnnl_f32, dnnl_a);
    if (status == dnnl_success)
        status =
            dnnl_memory_desc_create_with_tag(&out->dst, 5, shape->dst, shape->type, shape->dst_tag);
    return status;
}

static void free_parts(struct parts *parts)
{
    dnnl_memory_desc_t all[] = { parts->src, parts->weights, parts->bias, parts->dst };
    for (int i = 0; i < 4; i++)
        if (all[i])
            dnnl_memory_desc_destroy(all[i]);
}

/* The kernel of oneDNN 3.2 to 3.7 gives nonsense for a depth of 2: its gradient is off by more than
 * its own size. That of 2.6 is right. */
static bool is_wrong(const struct api_shape *shape, enum pass pass)
{
    return pass == PASS_BACKWARD_WEIGHTS && shape->type == dnnl_bf16 && shape->src[2] == 2 &&
           shape->weights[2] > 1;
}

dnnl_status_t api_convolution(dnnl_engine_t engine, const struct api_shape *shape, enum pass pass,
                              const_dnnl_primitive_desc_t forward, dnnl_primitive_desc_t *out)
{
    static const dnnl_dims_t dilates = { 0 };
    struct parts parts = { 0 };
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_status_t status = make_parts(shape, pass, &parts);
    if (status == dnnl_success)
        status = make_attributes(shape, &attributes);
    if (status != dnnl_success)
        goto out;
    if (pass == PASS_FORWARD)
        status = dnnl_convolution_forward_primitive_desc_create(
            out, engine, dnnl_forward, dnnl_convolution_direct, parts.src, parts.weights,
            parts.bias, parts.dst, shape->strides, dilates, shape->front, shape->back, attributes);
    else if (pass == PASS_BACKWARD_DATA)
        status = dnnl_convolution_backward_data_primitive_desc_create(
            out, engine, dnnl_convolution_direct, parts.src, parts.weights, parts.dst,
            shape->strides, dilates, shape->front, shape->back, forward, attributes);
    else
        status = dnnl_convolution_backward_weights_primitive_desc_create(
            out, engine, dnnl_convolution_direct, parts.src, parts.weights, NULL, parts.dst,
            shape->strides, dilates, shape->front, shape->back, forward, attributes);
    if (status == dnnl_success && is_wrong(shape, pass))
        dnnl_primitive_desc_next_impl(*out); /* slow, but right */
out:
    dnnl_primitive_attr_destroy(attributes);
    free_parts(&parts);
    return status;
}

static dnnl_status_t make_plain(const_dnnl_memory_desc_t like, dnnl_memory_desc_t *out)
{
    static const dnnl_format_tag_t tags[] = {
        dnnl_format_tag_undef, dnnl_a, dnnl_ab, dnnl_abc, dnnl_abcd, dnnl_abcde
    };
    int rank = 0;
    dnnl_dims_t *sizes = NULL;
    *out = NULL;
    dnnl_status_t status = dnnl_memory_desc_query(like, dnnl_query_ndims_s32, &rank);
    if (status == dnnl_success)
        status = dnnl_memory_desc_query(like, dnnl_query_dims, &sizes);
    if (status == dnnl_success)
        status = dnnl_memory_desc_create_with_tag(out, rank, *sizes, dnnl_f32, tags[rank]);
    return status;
}

dnnl_status_t api_reorder(dnnl_engine_t engine, struct api_argument from, struct api_argument to,
                          dnnl_primitive_desc_t *out)
{
    const_dnnl_memory_desc_t source = from.of ? query(from.of, from.argument) : NULL;
    const_dnnl_memory_desc_t destination = to.of ? query(to.of, to.argument) : NULL;
    dnnl_memory_desc_t plain = NULL;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_status_t status = make_plain(source ? source : destination, &plain);
    if (status == dnnl_success)
        status = make_attributes(NULL, &attributes);
    if (status == dnnl_success)
        status = dnnl_reorder_primitive_desc_create(out, source ? source : plain, engine,
                                                    destination ? destination : plain, engine,
                                                    attributes);
    dnnl_primitive_attr_destroy(attributes);
    dnnl_memory_desc_destroy(plain);
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
