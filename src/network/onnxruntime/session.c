/* A graph loaded on a device, and run. */
#include "network/onnxruntime/session.h"

#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"
#include "base/thread.h"

#include <string.h>

enum device { DEVICE_AUTO, DEVICE_CPU, DEVICE_CUDA };

i3d_status onnxruntime_describe(const char **out)
{
    const struct library *library;
    i3d_status status = library_get(&library);
    *out = status == I3D_OK ? library->description : NULL;
    return status;
}

static i3d_status find_device(const char *engine, enum device *out)
{
    static const struct {
        const char *name;
        enum device device;
    } devices[] = { { "auto", DEVICE_AUTO },
                    { "onnxruntime", DEVICE_AUTO },
                    { "onnxruntime-cpu", DEVICE_CPU },
                    { "onnxruntime-cuda", DEVICE_CUDA } };
    *out = DEVICE_AUTO;
    if (!engine)
        return I3D_OK;
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++)
        if (strcmp(engine, devices[i].name) == 0) {
            *out = devices[i].device;
            return I3D_OK;
        }
    return failure(I3D_EINVAL,
                   "the engine '%s' runs no graphs: choose one of onnxruntime, onnxruntime-cpu, "
                   "onnxruntime-cuda",
                   engine);
}

/* In float32 as it is, not in the 10 bits of TF32. A library too old to know the word has none. */
static i3d_status add_cuda(const struct library *library, OrtSessionOptions *options)
{
    i3d_status status;
    static const char *const names[] = { "use_tf32" }, *const values[] = { "0" };
    OrtCUDAProviderOptionsV2 *cuda = NULL;
    TRY(library_check(library, library->api->CreateCUDAProviderOptions(&cuda), I3D_EENGINE));
    OrtStatus *answer = library->api->UpdateCUDAProviderOptions(cuda, names, values, 1);
    if (answer)
        library->api->ReleaseStatus(answer);
    answer = library->api->SessionOptionsAppendExecutionProvider_CUDA_V2(options, cuda);
    status = library_check(library, answer, I3D_EENGINE);
    if (status != I3D_OK)
        failure(status, "%s; it wants CUDA and cuDNN installed, or choose onnxruntime-cpu",
                i3d_error());
out:
    if (cuda)
        library->api->ReleaseCUDAProviderOptions(cuda);
    return status;
}

static i3d_status load_on(struct session *session, const char *path, int threads, bool cuda)
{
    i3d_status status;
    const struct library *library = session->library;
    const OrtApi *api = library->api;
    OrtSessionOptions *options = NULL;
    TRY(library_check(library, api->CreateSessionOptions(&options), I3D_EENGINE));
    TRY(library_check(library,
                      api->SetIntraOpNumThreads(options, threads ? threads : thread_count()),
                      I3D_EENGINE));
    if (cuda)
        TRY(add_cuda(library, options));
    TRY(library_check(library,
                      api->CreateSession(library->environment, path, options, &session->handle),
                      I3D_EFORMAT));
out:
    if (options)
        api->ReleaseSessionOptions(options);
    return status;
}

static i3d_status load(struct session *session, const char *path, int threads, enum device device)
{
    i3d_status status;
    const struct library *library = session->library;
    if (device == DEVICE_CUDA && !library->cuda)
        return failure(I3D_EUNSUPPORTED,
                       "%s is all there is: for CUDA run 'scripts/install_onnxruntime.sh PREFIX "
                       "onnxruntime-gpu', or choose onnxruntime-cpu",
                       library->description);
    if (device != DEVICE_CPU && library->cuda) {
        status = load_on(session, path, threads, true);
        if (status == I3D_OK || device == DEVICE_CUDA)
            return status;
        talk("CUDA cannot run '%s', so the CPU does: %s", path, i3d_error());
    }
    return load_on(session, path, threads, false);
}

/* What the graph answers to `count` clips; to be released. */
static i3d_status call(struct session *session, int64_t count, const float *clips, OrtValue **out)
{
    i3d_status status;
    const struct library *library = session->library;
    const OrtApi *api = library->api;
    const char *const input = session->input, *const output = session->output;
    int64_t axes[AXES] = { count, session->axes[1], session->axes[2], session->axes[3],
                           session->axes[4] };
    OrtValue *value = NULL;
    *out = NULL;
    /* The library wants a pointer that may be written to, and does not write to an input. */
    TRY(library_check(
        library,
        api->CreateTensorWithDataAsOrtValue(session->memory, (void *)(uintptr_t)clips,
                                            (size_t)count * session->clip * sizeof *clips, axes,
                                            AXES, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &value),
        I3D_EENGINE));
    TRY(library_check(library,
                      api->Run(session->handle, NULL, &input, (const OrtValue *const *)&value, 1,
                               &output, 1, out),
                      I3D_EENGINE));
out:
    if (value)
        api->ReleaseValue(value);
    return status;
}

static i3d_status answer_axes(const struct session *session, const OrtValue *answer,
                              int64_t axes[AXES_MOST], size_t *rank)
{
    i3d_status status;
    const OrtApi *api = session->library->api;
    OrtTensorTypeAndShapeInfo *info = NULL;
    TRY(library_check(session->library, api->GetTensorTypeAndShape(answer, &info), I3D_EENGINE));
    TRY(session_axes(session, info, "output", axes, rank));
    TRY(session_check_logits(axes, *rank));
out:
    if (info)
        api->ReleaseTensorTypeAndShapeInfo(info);
    return status;
}

/* The first `count` rows of what `sent` clips were answered with, averaged over time. */
static i3d_status take(const struct session *session, OrtValue *answer, int64_t sent, int count,
                       float *logits)
{
    i3d_status status;
    int64_t axes[AXES_MOST];
    size_t rank, rows = (size_t)count * (size_t)session->classes;
    void *data;
    TRY(answer_axes(session, answer, axes, &rank));
    int64_t steps = rank == 3 ? axes[2] : 1;
    if (axes[0] != sent || axes[1] != session->classes || steps < 1)
        return failure(I3D_EFORMAT,
                       "%lld clips were answered with [%lld, %lld, %lld], not [%lld, %d]",
                       (long long)sent, (long long)axes[0], (long long)axes[1], (long long)steps,
                       (long long)sent, session->classes);
    TRY(library_check(session->library, session->library->api->GetTensorMutableData(answer, &data),
                      I3D_EENGINE));
    const float *from = data;
    for (size_t row = 0; row < rows; row++) {
        double sum = 0;
        for (int64_t t = 0; t < steps; t++)
            sum += (double)*from++;
        logits[row] = (float)(sum / (double)steps);
    }
out:
    return status;
}

/* A graph may tell how many classes it has only by running. */
static i3d_status learn_classes(struct session *session)
{
    i3d_status status;
    int64_t axes[AXES_MOST];
    size_t rank;
    OrtValue *answer = NULL;
    TRY(call(session, session->axes[0] ? session->axes[0] : 1, session->filled, &answer));
    TRY(answer_axes(session, answer, axes, &rank));
    session->classes = (int)axes[1];
    if (session->classes < 1)
        status = failure(I3D_EFORMAT, "its output has no classes");
out:
    if (answer)
        session->library->api->ReleaseValue(answer);
    return status;
}

static i3d_status open_session(struct session *session, const char *path,
                               const i3d_network_options *options)
{
    i3d_status status;
    enum device device;
    TRY(find_device(options->engine, &device));
    if (options->precision != I3D_PRECISION_F32)
        return failure(I3D_EINVAL, "a graph runs in the precision that it was written in: leave "
                                   "--precision out");
    TRY(library_get(&session->library));
    TRY(load(session, path, options->threads, device));
    TRY(library_check(session->library,
                      session->library->api->CreateCpuMemoryInfo(
                          OrtDeviceAllocator, OrtMemTypeDefault, &session->memory),
                      I3D_EENGINE));
    TRY(session_read(session, options));
    if (session->axes[0] > 1 || !session->classes)
        TRY(memory_get(session->axes[0] ? (size_t)session->axes[0] : 1,
                       session->clip * sizeof *session->filled, &session->filled));
    if (!session->classes)
        TRY(learn_classes(session));
out:
    return status;
}

i3d_status session_open(const char *path, const i3d_network_options *options, struct session **out)
{
    i3d_status status;
    struct session *session = NULL;
    *out = NULL;
    TRY(memory_get(1, sizeof *session, &session));
    TRY(open_session(session, path, options));
    *out = session;
    session = NULL;
out:
    session_close(session);
    return status;
}

void session_close(struct session *session)
{
    if (!session)
        return;
    const struct library *library = session->library;
    if (library) {
        library_free(library, session->input);
        library_free(library, session->output);
    }
    if (session->memory)
        library->api->ReleaseMemoryInfo(session->memory);
    if (session->handle)
        library->api->ReleaseSession(session->handle);
    memory_free(session->filled);
    memory_free(session);
}

i3d_status session_run(struct session *session, int count, const float *data, float *logits)
{
    i3d_status status = I3D_OK;
    OrtValue *answer = NULL;
    int sent = session->axes[0] ? (int)session->axes[0] : count;
    for (int done = 0; done < count; done += sent) {
        int rest = count - done < sent ? count - done : sent;
        const float *clips = data + (size_t)done * session->clip;
        if (rest < sent) {
            size_t whole = (size_t)rest * session->clip, all = (size_t)sent * session->clip;
            memcpy(session->filled, clips, whole * sizeof *clips);
            memset(session->filled + whole, 0, (all - whole) * sizeof *clips);
            clips = session->filled;
        }
        TRY(call(session, sent, clips, &answer));
        TRY(take(session, answer, sent, rest, logits + (size_t)done * (size_t)session->classes));
        session->library->api->ReleaseValue(answer);
        answer = NULL;
    }
out:
    if (answer)
        session->library->api->ReleaseValue(answer);
    return status;
}
