/* What a graph takes and gives. */
#include "network/onnxruntime/session.h"

#include "base/failure.h"

#include <string.h>

enum { SIZE_MOST = 1 << 16, BATCH_MOST = 4096, CLASSES_MOST = 1 << 20 };

i3d_status session_axes(const struct session *session, const OrtTensorTypeAndShapeInfo *info,
                        const char *what, int64_t axes[AXES_MOST], size_t *rank)
{
    i3d_status status;
    const OrtApi *api = session->library->api;
    ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
    if (info)
        TRY(library_check(session->library, api->GetTensorElementType(info, &type), I3D_EENGINE));
    if (type != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT)
        return failure(I3D_EFORMAT, "its %s is not of float32: export it so", what);
    TRY(library_check(session->library, api->GetDimensionsCount(info, rank), I3D_EENGINE));
    if (*rank > AXES_MOST)
        return failure(I3D_EFORMAT, "its %s has %zu axes", what, *rank);
    status = library_check(session->library, api->GetDimensions(info, axes, *rank), I3D_EENGINE);
out:
    return status;
}

i3d_status session_check_logits(const int64_t axes[AXES_MOST], size_t rank)
{
    if (rank != 2 && rank != 3)
        return failure(I3D_EFORMAT,
                       "its output has %zu axes, but logits are [N, classes] or [N, classes, T]",
                       rank);
    if (axes[1] > CLASSES_MOST)
        return failure(I3D_EFORMAT, "its output has %lld classes", (long long)axes[1]);
    return I3D_OK;
}

static i3d_status read_type(const struct session *session, bool input, int64_t axes[AXES_MOST],
                            size_t *rank)
{
    i3d_status status;
    const OrtApi *api = session->library->api;
    OrtTypeInfo *type = NULL;
    const OrtTensorTypeAndShapeInfo *info = NULL;
    TRY(library_check(session->library,
                      input ? api->SessionGetInputTypeInfo(session->handle, 0, &type)
                            : api->SessionGetOutputTypeInfo(session->handle, 0, &type),
                      I3D_EENGINE));
    TRY(library_check(session->library, api->CastTypeInfoToTensorInfo(type, &info), I3D_EENGINE));
    TRY(session_axes(session, info, input ? "input" : "output", axes, rank));
out:
    if (type)
        api->ReleaseTypeInfo(type);
    return status;
}

/* The first input and the first output, whatever their names. */
static i3d_status read_names(struct session *session)
{
    i3d_status status;
    const struct library *library = session->library;
    const OrtApi *api = library->api;
    size_t inputs, outputs;
    TRY(library_check(library, api->SessionGetInputCount(session->handle, &inputs), I3D_EENGINE));
    TRY(library_check(library, api->SessionGetOutputCount(session->handle, &outputs), I3D_EENGINE));
    if (inputs != 1 || outputs < 1)
        return failure(I3D_EFORMAT,
                       "it has %zu inputs and %zu outputs: an I3D's are clips and logits", inputs,
                       outputs);
    TRY(library_check(
        library, api->SessionGetInputName(session->handle, 0, library->allocator, &session->input),
        I3D_EENGINE));
    TRY(library_check(
        library,
        api->SessionGetOutputName(session->handle, 0, library->allocator, &session->output),
        I3D_EENGINE));
out:
    return status;
}

/* An axis is what the graph fixes, else what is asked for, else what is usual. */
static i3d_status settle(int64_t *axis, const char *what, int asked, int usual)
{
    if (*axis > 0 && asked && *axis != asked)
        return failure(I3D_EINVAL,
                       "its clips have %lld %s, not %d: leave the option out, or export the "
                       "network for %d",
                       (long long)*axis, what, asked, asked);
    if (*axis <= 0)
        *axis = asked ? asked : usual;
    if (*axis > SIZE_MOST)
        return failure(I3D_EFORMAT, "its clips have %lld %s, more than %d", (long long)*axis, what,
                       SIZE_MOST);
    return I3D_OK;
}

static i3d_status settle_axes(struct session *session, const i3d_network_options *options)
{
    i3d_status status;
    int64_t *axes = session->axes;
    if (axes[0] < 0)
        axes[0] = 0;
    if (axes[0] > BATCH_MOST || axes[1] < 1 || axes[1] > SIZE_MOST)
        return failure(I3D_EFORMAT, "its input is %lld clips of %lld channels", (long long)axes[0],
                       (long long)axes[1]);
    TRY(settle(&axes[2], "frames", options->frames, 64));
    TRY(settle(&axes[3], "rows", options->height, 224));
    TRY(settle(&axes[4], "columns", options->width, 224));
    session->clip = 1;
    for (int i = 1; i < AXES; i++)
        if (__builtin_mul_overflow(session->clip, (size_t)axes[i], &session->clip))
            return failure(I3D_EFORMAT, "its clips are larger than any memory");
out:
    return status;
}

i3d_status session_read(struct session *session, const i3d_network_options *options)
{
    i3d_status status;
    int64_t axes[AXES_MOST];
    size_t rank;
    TRY(read_names(session));
    TRY(read_type(session, true, axes, &rank));
    if (rank != AXES)
        return failure(I3D_EFORMAT, "its input has %zu axes, but clips are [N, C, T, H, W]", rank);
    memcpy(session->axes, axes, sizeof session->axes);
    TRY(settle_axes(session, options));
    TRY(read_type(session, false, axes, &rank));
    if (rank)
        TRY(session_check_logits(axes, rank));
    session->classes = rank && axes[1] > 0 ? (int)axes[1] : 0;
out:
    return status;
}

i3d_network_shape session_shape(const struct session *session)
{
    return (i3d_network_shape){ .channels = (int)session->axes[1],
                                .classes = session->classes,
                                .frames = (int)session->axes[2],
                                .height = (int)session->axes[3],
                                .width = (int)session->axes[4] };
}
