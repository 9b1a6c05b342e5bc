/* A convolution as a graph of cuDNN's operations: the product, then bias and ReLU if they are part
 * of it. */
#include "engine/cuda/descriptor.h"

#include "base/failure.h"

#include <string.h>

enum { DIMENSIONS = 5, OPERATIONS_MAX = 3 };

static cudnnDataType_t data_type(enum element type)
{
    switch (type) {
    case ELEMENT_BF16:
        return CUDNN_DATA_BFLOAT16;
    case ELEMENT_F16:
        return CUDNN_DATA_HALF;
    default:
        return CUDNN_DATA_FLOAT;
    }
}

struct tensor {
    int64_t uid;
    enum element type;
    int samples, channels, size[3];
    int64_t pitch;
    bool inner; /* between two operations: it is nowhere in memory */
};

static i3d_status make_tensor(struct descriptors *all, const struct tensor *tensor,
                              cudnnBackendDescriptor_t *out)
{
    const int *size = tensor->size;
    int64_t row = size[2] * tensor->pitch, map = size[1] * row, alignment = 16;
    const int64_t dims[DIMENSIONS] = { tensor->samples, tensor->channels, size[0], size[1],
                                       size[2] };
    const int64_t strides[DIMENSIONS] = { size[0] * map, 1, map, row, tensor->pitch };
    cudnnDataType_t type = data_type(tensor->type);
    cudnnBackendDescriptor_t made;
    i3d_status status;
    TRY(descriptor_begin(all, CUDNN_BACKEND_TENSOR_DESCRIPTOR, &made));
    TRY(descriptor_set(made, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type));
    TRY(descriptor_set(made, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, DIMENSIONS, dims));
    TRY(descriptor_set(made, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, DIMENSIONS, strides));
    TRY(descriptor_set(made, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &tensor->uid));
    TRY(descriptor_set(made, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment));
    TRY(descriptor_set(made, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &tensor->inner));
    TRY(descriptor_finish(made, "describe a tensor"));
    *out = made;
out:
    return status;
}

static i3d_status make_window(struct descriptors *all, const struct convolution_shape *shape,
                              cudnnBackendDescriptor_t *out)
{
    cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    cudnnDataType_t sums = CUDNN_DATA_FLOAT;
    int64_t dimensions = 3, one[3] = { 1, 1, 1 }, stride[3], front[3], back[3];
    i3d_status status;
    for (int d = 0; d < 3; d++) {
        stride[d] = shape->stride[d];
        front[d] = shape->front[d];
        back[d] = shape->back[d];
    }
    TRY(descriptor_begin(all, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, out));
    TRY(descriptor_set(*out, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1,
                       &dimensions));
    TRY(descriptor_set(*out, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &sums));
    TRY(descriptor_set(*out, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1,
                       &mode));
    TRY(descriptor_set(*out, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 3, one));
    TRY(descriptor_set(*out, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 3, stride));
    TRY(descriptor_set(*out, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 3, front));
    TRY(descriptor_set(*out, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 3, back));
    TRY(descriptor_finish(*out, "describe a convolution"));
out:
    return status;
}

/* The names of one pass's attributes. */
struct pass_names {
    cudnnBackendDescriptorType_t type;
    cudnnBackendAttributeName_t window, in, weight, out, alpha, beta;
};

static const struct pass_names pass_names[] = {
    [CONVOLUTION_FORWARD] = { CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
                              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA },
    [CONVOLUTION_DATA] = { CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                           CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                           CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                           CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                           CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
                           CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                           CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA },
    [CONVOLUTION_WEIGHT] = { CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
                             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
                             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
                             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
                             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA },
};

struct operands {
    cudnnBackendDescriptor_t in, weight, out;
};

static i3d_status make_product(struct descriptors *all, const struct convolution_shape *shape,
                               const struct operands *operands, cudnnBackendDescriptor_t *out)
{
    const struct pass_names *names = &pass_names[shape->pass];
    cudnnBackendDescriptor_t window;
    float one = 1, zero = 0;
    i3d_status status;
    TRY(make_window(all, shape, &window));
    TRY(descriptor_begin(all, names->type, out));
    TRY(descriptor_set(*out, names->window, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &window));
    TRY(descriptor_set(*out, names->in, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &operands->in));
    TRY(descriptor_set(*out, names->weight, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &operands->weight));
    TRY(descriptor_set(*out, names->out, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &operands->out));
    TRY(descriptor_set(*out, names->alpha, CUDNN_TYPE_FLOAT, 1, &one));
    TRY(descriptor_set(*out, names->beta, CUDNN_TYPE_FLOAT, 1, &zero));
    TRY(descriptor_finish(*out, "describe the product"));
out:
    return status;
}

/* y = x + b, or with no b: y = ReLU(x). */
static i3d_status make_pointwise(struct descriptors *all, cudnnBackendDescriptor_t x,
                                 cudnnBackendDescriptor_t b, cudnnBackendDescriptor_t y,
                                 cudnnBackendDescriptor_t *out)
{
    cudnnPointwiseMode_t mode = b ? CUDNN_POINTWISE_ADD : CUDNN_POINTWISE_RELU_FWD;
    cudnnNanPropagation_t nans = CUDNN_PROPAGATE_NAN; /* they are to show in the logits */
    cudnnDataType_t sums = CUDNN_DATA_FLOAT;
    cudnnBackendDescriptor_t how;
    i3d_status status;
    TRY(descriptor_begin(all, CUDNN_BACKEND_POINTWISE_DESCRIPTOR, &how));
    TRY(descriptor_set(how, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode));
    TRY(descriptor_set(how, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &sums));
    if (!b)
        TRY(descriptor_set(how, CUDNN_ATTR_POINTWISE_NAN_PROPAGATION, CUDNN_TYPE_NAN_PROPOGATION, 1,
                           &nans));
    TRY(descriptor_finish(how, "describe a pointwise operation"));
    TRY(descriptor_begin(all, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, out));
    TRY(descriptor_set(*out, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR,
                       CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &how));
    TRY(descriptor_set(*out, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                       &x));
    if (b)
        TRY(descriptor_set(*out, CUDNN_ATTR_OPERATION_POINTWISE_BDESC,
                           CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &b));
    TRY(descriptor_set(*out, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                       &y));
    TRY(descriptor_finish(*out, "describe a pointwise operation"));
out:
    return status;
}

static struct tensor out_tensor(const struct convolution_shape *shape, int64_t uid)
{
    struct tensor tensor = { .uid = uid,
                             .type = shape->type,
                             .samples = shape->samples,
                             .channels = shape->channels,
                             .pitch = shape->out_pitch };
    memcpy(tensor.size, shape->out, sizeof tensor.size);
    return tensor;
}

/* A result that the next operation takes over, in float32. */
static struct tensor inner_tensor(const struct convolution_shape *shape, int64_t uid)
{
    struct tensor tensor = out_tensor(shape, uid);
    tensor.type = ELEMENT_F32;
    tensor.pitch = shape->channels;
    tensor.inner = true;
    return tensor;
}

/* + bias, and ReLU if it is asked for, from `sum` to `out`. */
static i3d_status make_ending(struct descriptors *all, const struct convolution_shape *shape,
                              const struct operands *ends, cudnnBackendDescriptor_t operations[],
                              int *count)
{
    struct tensor bias = { .uid = UID_BIAS,
                           .type = shape->type,
                           .samples = 1,
                           .channels = shape->channels,
                           .size = { 1, 1, 1 },
                           .pitch = shape->channels };
    struct tensor inner = inner_tensor(shape, UID_BIASED);
    cudnnBackendDescriptor_t added, biased = ends->out;
    i3d_status status;
    TRY(make_tensor(all, &bias, &added));
    if (shape->relu)
        TRY(make_tensor(all, &inner, &biased));
    TRY(make_pointwise(all, ends->in, added, biased, &operations[(*count)++]));
    if (shape->relu)
        TRY(make_pointwise(all, biased, NULL, ends->out, &operations[(*count)++]));
out:
    return status;
}

static i3d_status make_operands(struct descriptors *all, const struct convolution_shape *shape,
                                struct operands *out)
{
    struct tensor in = { .uid = UID_IN,
                         .type = shape->type,
                         .samples = shape->samples,
                         .channels = shape->in_channels,
                         .pitch = shape->in_channels };
    struct tensor weight = { .uid = UID_WEIGHT,
                             .type = shape->type,
                             .samples = shape->channels,
                             .channels = shape->in_channels,
                             .pitch = shape->in_channels };
    struct tensor result = out_tensor(shape, UID_OUT);
    i3d_status status;
    memcpy(in.size, shape->in, sizeof in.size);
    memcpy(weight.size, shape->kernel, sizeof weight.size);
    TRY(make_tensor(all, &in, &out->in));
    TRY(make_tensor(all, &weight, &out->weight));
    TRY(make_tensor(all, &result, &out->out));
out:
    return status;
}

i3d_status cudnn_describe(cudnnHandle_t handle, const struct convolution_shape *shape,
                          struct descriptors *all, cudnnBackendDescriptor_t *out)
{
    cudnnBackendDescriptor_t operations[OPERATIONS_MAX];
    struct operands operands;
    int count = 1;
    i3d_status status;
    TRY(make_operands(all, shape, &operands));
    if (shape->biased) {
        struct operands ends = { .out = operands.out };
        struct tensor sum = inner_tensor(shape, UID_SUM);
        TRY(make_tensor(all, &sum, &operands.out));
        ends.in = operands.out;
        TRY(make_product(all, shape, &operands, &operations[0]));
        TRY(make_ending(all, shape, &ends, operations, &count));
    } else {
        TRY(make_product(all, shape, &operands, &operations[0]));
    }
    TRY(descriptor_begin(all, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, out));
    if (handle)
        TRY(descriptor_set(*out, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle));
    TRY(descriptor_set(*out, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, count,
                       operations));
    TRY(descriptor_finish(*out, "describe the operations of a convolution"));
out:
    return status;
}
