/* Convolutions by cuDNN's backend API: a graph of operations, engines that can run it, the fastest
 * of the first few by measuring. */
#include "engine/cuda/convolution.h"

#include "base/failure.h"
#include "base/memory.h"
#include "engine/cuda/choices.h"
#include "engine/cuda/cudnn.h"

#include <cudnn_graph.h>
#include <stdio.h>
#include <string.h>

enum { DIMENSIONS = 5, OPERATIONS_MAX = 3, DESCRIPTORS_MAX = 16, CONFIGS_MAX = 64 };
enum { UID_IN = 1, UID_WEIGHT, UID_OUT, UID_BIAS, UID_SUM, UID_BIASED };

struct convolver {
    struct card *card;
    cudnnHandle_t handle;                /* NULL: there is no card, only its properties */
    cudnnBackendDescriptor_t properties; /* of a card that is not there */
    struct convolver_options options;
    struct choices *choices;
    void *scratch; /* to measure with */
    size_t scratch_bytes;
};

struct convolution {
    struct convolver *convolver;
    struct convolution_shape shape;
    cudnnBackendDescriptor_t plan, pack;
    struct convolution_operands packed; /* what `pack` points to */
    size_t workspace;
    float milliseconds;
};

static i3d_status refuse(cudnnStatus_t status, const char *what)
{
    char text[512] = "";
    cudnnGetLastErrorString(text, sizeof text);
    i3d_status kind = CUDNN_STATUS_CATEGORY(status) == CUDNN_STATUS_NOT_SUPPORTED ||
                              CUDNN_STATUS_CATEGORY(status) == CUDNN_STATUS_BAD_PARAM
                          ? I3D_EUNSUPPORTED
                          : I3D_EENGINE;
    return failure(kind, "cuDNN cannot %s: %s (%s)", what, cudnnGetErrorString(status), text);
}

static i3d_status ask(cudnnStatus_t status, const char *what)
{
    return status == CUDNN_STATUS_SUCCESS ? I3D_OK : refuse(status, what);
}

/* Descriptors of one graph, which go when its execution plan is made. */
struct descriptors {
    cudnnBackendDescriptor_t items[DESCRIPTORS_MAX];
    int count;
};

static void destroy(cudnnBackendDescriptor_t *descriptor)
{
    if (*descriptor)
        cudnnBackendDestroyDescriptor(*descriptor);
    *descriptor = NULL;
}

static void clear(struct descriptors *all)
{
    while (all->count)
        destroy(&all->items[--all->count]);
}

static i3d_status begin(struct descriptors *all, cudnnBackendDescriptorType_t type,
                        cudnnBackendDescriptor_t *out)
{
    i3d_status status = ask(cudnnBackendCreateDescriptor(type, out), "make a descriptor");
    if (status == I3D_OK)
        all->items[all->count++] = *out;
    return status;
}

static i3d_status set(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                      cudnnBackendAttributeType_t type, int64_t count, const void *values)
{
    return ask(cudnnBackendSetAttribute(descriptor, name, type, count, values),
               "take an attribute");
}

static i3d_status finish(cudnnBackendDescriptor_t descriptor, const char *what)
{
    return ask(cudnnBackendFinalize(descriptor), what);
}

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
    TRY(begin(all, CUDNN_BACKEND_TENSOR_DESCRIPTOR, &made));
    TRY(set(made, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type));
    TRY(set(made, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, DIMENSIONS, dims));
    TRY(set(made, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, DIMENSIONS, strides));
    TRY(set(made, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &tensor->uid));
    TRY(set(made, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment));
    TRY(set(made, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &tensor->inner));
    TRY(finish(made, "describe a tensor"));
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
    TRY(begin(all, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, out));
    TRY(set(*out, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, &dimensions));
    TRY(set(*out, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &sums));
    TRY(set(*out, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode));
    TRY(set(*out, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 3, one));
    TRY(set(*out, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 3, stride));
    TRY(set(*out, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 3, front));
    TRY(set(*out, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 3, back));
    TRY(finish(*out, "describe a convolution"));
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
    TRY(begin(all, names->type, out));
    TRY(set(*out, names->window, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &window));
    TRY(set(*out, names->in, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &operands->in));
    TRY(set(*out, names->weight, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &operands->weight));
    TRY(set(*out, names->out, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &operands->out));
    TRY(set(*out, names->alpha, CUDNN_TYPE_FLOAT, 1, &one));
    TRY(set(*out, names->beta, CUDNN_TYPE_FLOAT, 1, &zero));
    TRY(finish(*out, "describe the product"));
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
    TRY(begin(all, CUDNN_BACKEND_POINTWISE_DESCRIPTOR, &how));
    TRY(set(how, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode));
    TRY(set(how, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &sums));
    if (!b)
        TRY(set(how, CUDNN_ATTR_POINTWISE_NAN_PROPAGATION, CUDNN_TYPE_NAN_PROPOGATION, 1, &nans));
    TRY(finish(how, "describe a pointwise operation"));
    TRY(begin(all, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, out));
    TRY(set(*out, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
            &how));
    TRY(set(*out, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &x));
    if (b)
        TRY(set(*out, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &b));
    TRY(set(*out, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &y));
    TRY(finish(*out, "describe a pointwise operation"));
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

static i3d_status make_graph(const struct convolver *convolver, struct descriptors *all,
                             const struct convolution_shape *shape, cudnnBackendDescriptor_t *out)
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
    TRY(begin(all, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, out));
    if (convolver->handle)
        TRY(set(*out, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &convolver->handle));
    TRY(set(*out, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, count, operations));
    TRY(finish(*out, "describe the operations of a convolution"));
out:
    return status;
}

/* The engines' settings that cuDNN proposes, best first. */
struct configs {
    cudnnBackendDescriptor_t items[CONFIGS_MAX];
    int count;
};

static void clear_configs(struct configs *configs)
{
    for (int i = 0; i < CONFIGS_MAX; i++)
        destroy(&configs->items[i]);
    configs->count = 0;
}

static i3d_status propose(const struct convolver *convolver, cudnnBackendDescriptor_t graph,
                          cudnnBackendHeurMode_t mode, struct configs *configs)
{
    struct descriptors own = { .count = 0 };
    cudnnBackendDescriptor_t proposer;
    int64_t found = 0, room = CONFIGS_MAX - configs->count;
    i3d_status status;
    TRY(begin(&own, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, &proposer));
    TRY(set(proposer, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
            &graph));
    TRY(set(proposer, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode));
    if (convolver->properties)
        TRY(set(proposer, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                &convolver->properties));
    TRY(finish(proposer, "propose engines"));
    for (int i = configs->count; i < CONFIGS_MAX; i++)
        if (!configs->items[i])
            TRY(ask(cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR,
                                                 &configs->items[i]),
                    "make a descriptor"));
    TRY(ask(cudnnBackendGetAttribute(proposer, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                     CUDNN_TYPE_BACKEND_DESCRIPTOR, room, &found,
                                     configs->items + configs->count),
            "propose engines"));
    configs->count += (int)(found < room ? found : room);
out:
    clear(&own);
    return status;
}

/* Whether the engine keeps to the precision and, where that is asked for, to the same bits. */
static bool suits(const struct convolver *convolver, const struct convolution_shape *shape,
                  cudnnBackendDescriptor_t config)
{
    cudnnBackendNumericalNote_t notes[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
    struct descriptors own = { .count = 0 };
    cudnnBackendDescriptor_t engine;
    int64_t count = 0;
    bool strict = shape->type == ELEMENT_F32 && !shape->tf32, good = false;
    if (begin(&own, CUDNN_BACKEND_ENGINE_DESCRIPTOR, &engine) != I3D_OK)
        return false;
    if (cudnnBackendGetAttribute(config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                 1, &count, &engine) == CUDNN_STATUS_SUCCESS &&
        cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                                 CUDNN_TYPE_NUMERICAL_NOTE, CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &count,
                                 notes) == CUDNN_STATUS_SUCCESS)
        good = true;
    for (int64_t i = 0; good && i < count && i < CUDNN_NUMERICAL_NOTE_TYPE_COUNT; i++) {
        bool coarse = notes[i] == CUDNN_NUMERICAL_NOTE_TENSOR_CORE ||
                      notes[i] == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS;
        if ((strict && coarse) || notes[i] == CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION ||
            (convolver->options.deterministic && notes[i] == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC))
            good = false;
    }
    clear(&own);
    return good;
}

static i3d_status make_plan(const struct convolver *convolver, cudnnBackendDescriptor_t config,
                            cudnnBackendDescriptor_t *out, size_t *workspace)
{
    int64_t bytes = 0, count = 0;
    cudnnBackendDescriptor_t plan = NULL;
    i3d_status status;
    *out = NULL;
    TRY(ask(cudnnBackendCreateDescriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, &plan),
            "make a descriptor"));
    TRY(set(plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
            &config));
    if (convolver->handle)
        TRY(set(plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &convolver->handle));
    else
        TRY(set(plan, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                &convolver->properties));
    TRY(finish(plan, "plan a convolution"));
    TRY(ask(cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                                     CUDNN_TYPE_INT64, 1, &count, &bytes),
            "tell its workspace"));
    *workspace = (size_t)bytes;
    *out = plan;
    plan = NULL;
out:
    destroy(&plan);
    return status;
}

static size_t positions(const int size[3])
{
    return (size_t)size[0] * (size_t)size[1] * (size_t)size[2];
}

static size_t weight_bytes(const struct convolution_shape *shape)
{
    return (size_t)shape->channels * (size_t)shape->in_channels * positions(shape->kernel) *
           element_bytes(shape->type);
}

/* The next of some buffers that lie side by side, aligned as a card's memory is. */
static void *carve(char *memory, size_t *at, size_t bytes)
{
    size_t begin = *at;
    *at += (bytes + 255) / 256 * 256;
    return memory ? memory + begin : NULL;
}

static size_t carve_operands(char *memory, const struct convolution_shape *shape, size_t workspace,
                             struct convolution_operands *out)
{
    size_t element = element_bytes(shape->type), samples = (size_t)shape->samples, at = 0;
    out->in =
        carve(memory, &at, samples * positions(shape->in) * (size_t)shape->in_channels * element);
    out->weight = carve(memory, &at, weight_bytes(shape));
    out->out =
        carve(memory, &at, samples * positions(shape->out) * (size_t)shape->out_pitch * element);
    out->bias = carve(memory, &at, (size_t)shape->channels * element);
    out->workspace = carve(memory, &at, workspace);
    return at;
}

/* Buffers of zeroes, or of what others left, to measure with. */
static i3d_status get_operands(struct convolver *convolver, const struct convolution_shape *shape,
                               size_t workspace, struct convolution_operands *out)
{
    size_t bytes = carve_operands(NULL, shape, workspace, out);
    i3d_status status = I3D_OK;
    if (bytes > convolver->scratch_bytes) {
        convolver_rest(convolver);
        TRY(card_get(convolver->card, bytes, &convolver->scratch));
        convolver->scratch_bytes = bytes;
    }
    carve_operands(convolver->scratch, shape, workspace, out);
out:
    return status;
}

void convolver_rest(struct convolver *convolver)
{
    if (convolver->scratch)
        card_free(convolver->card, convolver->scratch);
    convolver->scratch = NULL;
    convolver->scratch_bytes = 0;
}

static i3d_status make_pack(struct convolution *convolution,
                            const struct convolution_operands *operands)
{
    const int64_t uids[] = { UID_IN, UID_WEIGHT, UID_OUT, UID_BIAS };
    const void *const data[] = { operands->in, operands->weight, operands->out, operands->bias };
    int64_t count = convolution->shape.biased ? 4 : 3;
    i3d_status status;
    destroy(&convolution->pack);
    TRY(ask(cudnnBackendCreateDescriptor(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &convolution->pack),
            "make a descriptor"));
    TRY(set(convolution->pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, count, uids));
    TRY(set(convolution->pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, count,
            data));
    TRY(set(convolution->pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1,
            &operands->workspace));
    TRY(finish(convolution->pack, "take the operands"));
    convolution->packed = *operands;
out:
    return status;
}

i3d_status convolver_run(struct convolution *convolution,
                         const struct convolution_operands *operands)
{
    i3d_status status;
    if (!convolution->pack || memcmp(operands, &convolution->packed, sizeof *operands) != 0)
        TRY(make_pack(convolution, operands));
    TRY(ask(
        cudnnBackendExecute(convolution->convolver->handle, convolution->plan, convolution->pack),
        "run a convolution"));
out:
    return status;
}

/* Milliseconds of a run: the best of three behind one that warms up. */
static i3d_status measure(struct convolution *convolution, float *best)
{
    struct card *card = convolution->convolver->card;
    struct convolution_operands operands;
    i3d_status status;
    *best = -1;
    TRY(get_operands(convolution->convolver, &convolution->shape, convolution->workspace,
                     &operands));
    for (int run = 0; run < 4; run++) {
        float milliseconds;
        TRY(card_tick(card));
        TRY(convolver_run(convolution, &operands));
        TRY(card_tock(card, &milliseconds));
        if (run == 1 || (run > 1 && milliseconds < *best))
            *best = milliseconds;
    }
out:
    return status;
}

/* The number among the proposals of the one to take, and its plan. */
static i3d_status choose(struct convolution *convolution, const struct configs *configs,
                         int *chosen)
{
    const struct convolver *convolver = convolution->convolver;
    struct convolution trial = *convolution;
    float best = 0;
    int tries = 0;
    i3d_status status = I3D_OK;
    for (int i = 0; i < configs->count && tries < convolver->options.tries; i++) {
        float milliseconds = 0;
        if (!suits(convolver, &convolution->shape, configs->items[i]) ||
            make_plan(convolver, configs->items[i], &trial.plan, &trial.workspace) != I3D_OK)
            continue;
        bool alone = convolver->options.tries == 1 || !convolver->handle;
        bool runs = alone || measure(&trial, &milliseconds) == I3D_OK;
        destroy(&trial.pack);
        if (runs && (!tries || milliseconds < best)) {
            destroy(&convolution->plan);
            convolution->plan = trial.plan;
            convolution->workspace = trial.workspace;
            convolution->milliseconds = milliseconds;
            best = milliseconds;
            *chosen = i;
        } else {
            destroy(&trial.plan);
        }
        tries += runs;
    }
    if (!tries)
        status = failure(I3D_EUNSUPPORTED, "cuDNN has no engine for this convolution among %d",
                         configs->count);
    return status;
}

/* What the choice depends on, beside the card and cuDNN's version. */
static void write_key(const struct convolver *convolver, const struct convolution_shape *shape,
                      char out[CHOICE_KEY_BYTES])
{
    const int *in = shape->in, *size = shape->out, *kernel = shape->kernel;
    snprintf(out, CHOICE_KEY_BYTES,
             "%d-%d-%d-%d-%d-%dx%d:%dx%dx%d>%d(%d):%dx%dx%d/%dx%dx%d/%d%d%d/%d%d%d%d",
             (int)shape->pass, (int)shape->type, shape->tf32, shape->biased, shape->relu,
             shape->samples, shape->in_channels, in[0], in[1], in[2], shape->channels,
             shape->out_pitch, size[0], size[1], size[2], kernel[0], kernel[1], kernel[2],
             shape->stride[0], shape->stride[1], shape->stride[2], shape->front[0], shape->front[1],
             shape->front[2], convolver->options.deterministic);
}

static i3d_status find_plan(struct convolution *convolution, cudnnBackendDescriptor_t graph)
{
    struct convolver *convolver = convolution->convolver;
    struct configs configs = { .count = 0 };
    char key[CHOICE_KEY_BYTES];
    int chosen;
    i3d_status status;
    write_key(convolver, &convolution->shape, key);
    TRY(propose(convolver, graph, CUDNN_HEUR_MODE_A, &configs));
    if (choices_find(convolver->choices, key, &chosen) && chosen < configs.count &&
        make_plan(convolver, configs.items[chosen], &convolution->plan, &convolution->workspace) ==
            I3D_OK)
        goto out;
    status = choose(convolution, &configs, &chosen);
    if (status == I3D_EUNSUPPORTED) {
        TRY(propose(convolver, graph, CUDNN_HEUR_MODE_FALLBACK, &configs));
        TRY(choose(convolution, &configs, &chosen));
    }
    if (status == I3D_OK)
        choices_add(convolver->choices, key, chosen);
out:
    clear_configs(&configs);
    return status;
}

i3d_status convolver_plan(struct convolver *convolver, const struct convolution_shape *shape,
                          struct convolution **out)
{
    struct descriptors all = { .count = 0 };
    struct convolution *convolution = NULL;
    cudnnBackendDescriptor_t graph;
    i3d_status status;
    *out = NULL;
    TRY(memory_get(1, sizeof *convolution, &convolution));
    convolution->convolver = convolver;
    convolution->shape = *shape;
    TRY(make_graph(convolver, &all, shape, &graph));
    TRY(find_plan(convolution, graph));
    *out = convolution;
    convolution = NULL;
out:
    convolver_release(convolution);
    clear(&all);
    return status;
}

size_t convolver_workspace(const struct convolution *convolution)
{
    return convolution->workspace;
}

float convolver_milliseconds(const struct convolution *convolution)
{
    return convolution->milliseconds;
}

void convolver_release(struct convolution *convolution)
{
    if (!convolution)
        return;
    destroy(&convolution->pack);
    destroy(&convolution->plan);
    memory_free(convolution);
}

i3d_status convolver_create(struct card *card, const struct convolver_options *options,
                            struct convolver **out)
{
    struct convolver *convolver = NULL;
    char about[CHOICE_KEY_BYTES];
    i3d_status status;
    *out = NULL;
    TRY(memory_get(1, sizeof *convolver, &convolver));
    convolver->card = card;
    convolver->options = *options;
    TRY(ask(cudnnCreate(&convolver->handle), "start on this card"));
    TRY(ask(cudnnSetStream(convolver->handle, card_stream(card)), "take the stream"));
    snprintf(about, sizeof about, "%s, cuDNN %zu", card_about(card), cudnnGetVersion());
    TRY(choices_open(options->cache, about, &convolver->choices));
    *out = convolver;
    convolver = NULL;
out:
    convolver_free(convolver);
    return status;
}

i3d_status convolver_create_without_card(const char *properties,
                                         const struct convolver_options *options,
                                         struct convolver **out)
{
    struct convolver *convolver = NULL;
    i3d_status status;
    *out = NULL;
    TRY(memory_get(1, sizeof *convolver, &convolver));
    convolver->options = *options;
    TRY(ask(
        cudnnBackendCreateDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, &convolver->properties),
        "make a descriptor"));
    TRY(set(convolver->properties, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
            (int64_t)strlen(properties) + 1, properties));
    TRY(finish(convolver->properties, "take the properties of a card"));
    TRY(choices_open(NULL, "", &convolver->choices));
    *out = convolver;
    convolver = NULL;
out:
    convolver_free(convolver);
    return status;
}

void convolver_free(struct convolver *convolver)
{
    if (!convolver)
        return;
    choices_close(convolver->choices);
    convolver_rest(convolver);
    destroy(&convolver->properties);
    if (convolver->handle)
        cudnnDestroy(convolver->handle);
    memory_free(convolver);
}
