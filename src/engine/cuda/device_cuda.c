/* A card, by the CUDA runtime. */
#include "engine/cuda/device.h"

#include "base/failure.h"
#include "base/memory.h"

#include <cuda_runtime_api.h>
#include <stdio.h>

enum { OLDEST_CAPABILITY = 80 };

struct device {
    int index;
    char about[300];
    cudaStream_t stream;
    cudaEvent_t from, to;
};

struct recording {
    cudaGraphExec_t graph;
};

static i3d_status ask(cudaError_t error, const char *what)
{
    if (error == cudaSuccess)
        return I3D_OK;
    cudaGetLastError();
    return failure(error == cudaErrorMemoryAllocation ? I3D_ENOMEM : I3D_EENGINE,
                   "the card cannot %s: %s", what, cudaGetErrorString(error));
}

static i3d_status count_cards(int *out)
{
    int driver = 0, runtime = 0;
    cudaError_t error = cudaGetDeviceCount(out);
    if (error == cudaSuccess && *out > 0)
        return I3D_OK;
    cudaGetLastError();
    *out = 0;
    cudaDriverGetVersion(&driver);
    cudaRuntimeGetVersion(&runtime);
    if (error == cudaErrorInsufficientDriver && driver > 0)
        return failure(I3D_EUNSUPPORTED,
                       "the driver of the NVIDIA card is too old: it is for CUDA %d.%d, and %d.%d "
                       "is needed; install a newer one or choose --device cpu",
                       driver / 1000, driver % 1000 / 10, runtime / 1000, runtime % 1000 / 10);
    if (error == cudaErrorInsufficientDriver)
        return failure(I3D_EUNSUPPORTED, "there is no driver for an NVIDIA card: install one or "
                                         "choose --device cpu");
    return failure(I3D_EUNSUPPORTED, "there is no NVIDIA card: choose --device cpu (%s)",
                   cudaGetErrorString(error));
}

static i3d_status check_card(int index, struct cudaDeviceProp *about)
{
    i3d_status status;
    int cards;
    TRY(count_cards(&cards));
    if (index < 0 || index >= cards)
        return failure(I3D_EINVAL, "there is no card %d: give 0 to %d", index, cards - 1);
    TRY(ask(cudaGetDeviceProperties(about, index), "tell its properties"));
    if (about->major * 10 + about->minor < OLDEST_CAPABILITY)
        return failure(I3D_EUNSUPPORTED,
                       "the card '%s' is too old: its compute capability is %d.%d, and 8.0 is "
                       "needed (A100 and later); choose --device cpu",
                       about->name, about->major, about->minor);
out:
    return status;
}

i3d_status device_available(void)
{
    struct cudaDeviceProp about;
    return check_card(0, &about);
}

i3d_status device_open(int index, struct device **out)
{
    struct cudaDeviceProp about;
    struct device *device = NULL;
    i3d_status status;
    *out = NULL;
    TRY(check_card(index, &about));
    TRY(memory_get(1, sizeof *device, &device));
    device->index = index;
    snprintf(device->about, sizeof device->about, "%s, compute capability %d.%d", about.name,
             about.major, about.minor);
    TRY(ask(cudaSetDevice(index), "be used"));
    TRY(ask(cudaStreamCreateWithFlags(&device->stream, cudaStreamNonBlocking), "open a stream"));
    TRY(ask(cudaEventCreate(&device->from), "make an event"));
    TRY(ask(cudaEventCreate(&device->to), "make an event"));
    *out = device;
    device = NULL;
out:
    device_close(device);
    return status;
}

void device_close(struct device *device)
{
    if (!device)
        return;
    if (device->from)
        cudaEventDestroy(device->from);
    if (device->to)
        cudaEventDestroy(device->to);
    if (device->stream)
        cudaStreamDestroy(device->stream);
    memory_free(device);
}

const char *device_about(const struct device *device)
{
    return device->about;
}

kernel_stream device_stream(const struct device *device)
{
    return device->stream;
}

static double gigabytes(size_t bytes)
{
    return (double)bytes / 1e9;
}

i3d_status device_get(struct device *device, size_t bytes, void **out)
{
    size_t available = 0, all = 0;
    *out = NULL;
    if (!bytes)
        return I3D_OK;
    if (cudaMalloc(out, bytes) == cudaSuccess)
        return device_zero(device, *out, bytes);
    cudaGetLastError();
    cudaMemGetInfo(&available, &all);
    return failure(I3D_ENOMEM,
                   "%.2f GB are wanted of the card's memory, and %.2f of %.2f GB are "
                   "free",
                   gigabytes(bytes), gigabytes(available), gigabytes(all));
}

void device_free(struct device *device, void *memory)
{
    (void)device;
    cudaFree(memory);
}

i3d_status device_upload(struct device *device, void *to, const void *from, size_t bytes)
{
    return ask(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, device->stream),
               "take data");
}

i3d_status device_download(struct device *device, void *to, const void *from, size_t bytes)
{
    i3d_status status =
        ask(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, device->stream), "give data");
    return status == I3D_OK ? device_wait(device) : status;
}

i3d_status device_tell(struct device *device, void *to, const void *from, size_t bytes)
{
    return ask(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, device->stream),
               "give data");
}

i3d_status device_zero(struct device *device, void *to, size_t bytes)
{
    return ask(cudaMemsetAsync(to, 0, bytes, device->stream), "clear memory");
}

i3d_status device_wait(struct device *device)
{
    return ask(cudaStreamSynchronize(device->stream), "end its work");
}

i3d_status device_get_pinned(struct device *device, size_t bytes, void **out)
{
    (void)device;
    *out = NULL;
    return bytes ? ask(cudaHostAlloc(out, bytes, cudaHostAllocDefault), "pin memory") : I3D_OK;
}

void device_free_pinned(struct device *device, void *memory)
{
    (void)device;
    if (memory)
        cudaFreeHost(memory);
}

i3d_status device_tick(struct device *device)
{
    return ask(cudaEventRecord(device->from, device->stream), "take the time");
}

i3d_status device_tock(struct device *device, float *milliseconds)
{
    i3d_status status;
    TRY(ask(cudaEventRecord(device->to, device->stream), "take the time"));
    TRY(ask(cudaEventSynchronize(device->to), "end its work"));
    TRY(ask(cudaEventElapsedTime(milliseconds, device->from, device->to), "take the time"));
out:
    return status;
}

i3d_status device_check(struct device *device)
{
    (void)device;
    return ask(cudaGetLastError(), "start a kernel");
}

bool device_records(const struct device *device)
{
    (void)device;
    return true;
}

i3d_status device_record(struct device *device)
{
    return ask(cudaStreamBeginCapture(device->stream, cudaStreamCaptureModeThreadLocal),
               "record its work");
}

i3d_status device_record_end(struct device *device, struct recording **out)
{
    struct recording *recording = NULL;
    cudaGraph_t graph = NULL;
    i3d_status status;
    *out = NULL;
    TRY(ask(cudaStreamEndCapture(device->stream, &graph), "record its work"));
    TRY(memory_get(1, sizeof *recording, &recording));
    TRY(ask(cudaGraphInstantiate(&recording->graph, graph, 0), "prepare its work"));
    *out = recording;
    recording = NULL;
out:
    if (graph)
        cudaGraphDestroy(graph);
    recording_free(recording);
    return status;
}

i3d_status device_replay(struct device *device, struct recording *recording)
{
    return ask(cudaGraphLaunch(recording->graph, device->stream), "start its work");
}

void recording_free(struct recording *recording)
{
    if (recording && recording->graph)
        cudaGraphExecDestroy(recording->graph);
    memory_free(recording);
}
