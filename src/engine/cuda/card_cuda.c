/* A card, by the CUDA runtime. */
#include "engine/cuda/card.h"

#include "base/failure.h"
#include "base/memory.h"

#include <cuda_runtime_api.h>
#include <stdio.h>

enum { OLDEST_CAPABILITY = 80 };

struct card {
    int index;
    char about[300];
    cudaStream_t stream, copies;
    cudaEvent_t from, to;
    cudaEvent_t here[CARD_LANES], left[CARD_LANES]; /* of a lane */
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

static double gigabytes(size_t bytes)
{
    return (double)bytes / 1e9;
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

i3d_status card_available(void)
{
    struct cudaDeviceProp about;
    return check_card(0, &about);
}

i3d_status card_list(char *out, size_t size)
{
    int cards, driver = 0;
    size_t at = 0;
    i3d_status status;
    TRY(count_cards(&cards));
    cudaDriverGetVersion(&driver);
    out[0] = '\0';
    for (int i = 0; i < cards && at < size; i++) {
        struct cudaDeviceProp about;
        TRY(ask(cudaGetDeviceProperties(&about, i), "tell its properties"));
        at += (size_t)snprintf(out + at, size - at, "cuda:%d %s (%d.%d, %.0f GB), ", i, about.name,
                               about.major, about.minor, gigabytes(about.totalGlobalMem));
    }
    if (at < size)
        snprintf(out + at, size - at, "driver for CUDA %d.%d", driver / 1000, driver % 1000 / 10);
out:
    return status;
}

static i3d_status open_lanes(struct card *card)
{
    i3d_status status;
    TRY(ask(cudaStreamCreateWithFlags(&card->copies, cudaStreamNonBlocking), "open a stream"));
    for (int lane = 0; lane < CARD_LANES; lane++) {
        TRY(ask(cudaEventCreateWithFlags(&card->here[lane], cudaEventDisableTiming),
                "make an event"));
        TRY(ask(cudaEventCreateWithFlags(&card->left[lane], cudaEventDisableTiming),
                "make an event"));
    }
out:
    return status;
}

static void close_event(cudaEvent_t event)
{
    if (event)
        cudaEventDestroy(event);
}

i3d_status card_open(int index, struct card **out)
{
    struct cudaDeviceProp about;
    struct card *card = NULL;
    i3d_status status;
    *out = NULL;
    TRY(check_card(index, &about));
    TRY(memory_get(1, sizeof *card, &card));
    card->index = index;
    snprintf(card->about, sizeof card->about, "%s, compute capability %d.%d", about.name,
             about.major, about.minor);
    TRY(ask(cudaSetDevice(index), "be used"));
    TRY(ask(cudaStreamCreateWithFlags(&card->stream, cudaStreamNonBlocking), "open a stream"));
    TRY(ask(cudaEventCreate(&card->from), "make an event"));
    TRY(ask(cudaEventCreate(&card->to), "make an event"));
    TRY(open_lanes(card));
    *out = card;
    card = NULL;
out:
    card_close(card);
    return status;
}

void card_close(struct card *card)
{
    if (!card)
        return;
    close_event(card->from);
    close_event(card->to);
    for (int lane = 0; lane < CARD_LANES; lane++) {
        close_event(card->here[lane]);
        close_event(card->left[lane]);
    }
    if (card->copies)
        cudaStreamDestroy(card->copies);
    if (card->stream)
        cudaStreamDestroy(card->stream);
    memory_free(card);
}

i3d_status card_use(const struct card *card)
{
    return ask(cudaSetDevice(card->index), "be used");
}

const char *card_about(const struct card *card)
{
    return card->about;
}

kernel_stream card_stream(const struct card *card)
{
    return card->stream;
}

i3d_status card_room(const struct card *card, size_t *out)
{
    size_t all;
    (void)card;
    return ask(cudaMemGetInfo(out, &all), "tell its free memory");
}

i3d_status card_get(struct card *card, size_t bytes, void **out)
{
    size_t available = 0, all = 0;
    *out = NULL;
    if (!bytes)
        return I3D_OK;
    if (cudaMalloc(out, bytes) == cudaSuccess)
        return card_zero(card, *out, bytes);
    cudaGetLastError();
    cudaMemGetInfo(&available, &all);
    return failure(I3D_ENOMEM,
                   "%.2f GB are wanted of the card's memory, and %.2f of %.2f GB are "
                   "free",
                   gigabytes(bytes), gigabytes(available), gigabytes(all));
}

void card_free(struct card *card, void *memory)
{
    (void)card;
    cudaFree(memory);
}

i3d_status card_upload(struct card *card, void *to, const void *from, size_t bytes)
{
    return ask(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, card->stream), "take data");
}

i3d_status card_download(struct card *card, void *to, const void *from, size_t bytes)
{
    i3d_status status =
        ask(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, card->stream), "give data");
    return status == I3D_OK ? card_wait(card) : status;
}

i3d_status card_tell(struct card *card, void *to, const void *from, size_t bytes)
{
    return ask(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, card->stream), "give data");
}

i3d_status card_zero(struct card *card, void *to, size_t bytes)
{
    return ask(cudaMemsetAsync(to, 0, bytes, card->stream), "clear memory");
}

i3d_status card_wait(struct card *card)
{
    return ask(cudaStreamSynchronize(card->stream), "end its work");
}

i3d_status card_bring(struct card *card, int lane, void *to, const void *from, size_t bytes)
{
    i3d_status status;
    TRY(ask(cudaStreamWaitEvent(card->copies, card->left[lane], 0), "wait"));
    TRY(ask(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, card->copies), "take data"));
    TRY(ask(cudaEventRecord(card->here[lane], card->copies), "mark a moment"));
out:
    return status;
}

i3d_status card_take(struct card *card, int lane)
{
    return ask(cudaStreamWaitEvent(card->stream, card->here[lane], 0), "wait");
}

i3d_status card_leave(struct card *card, int lane)
{
    return ask(cudaEventRecord(card->left[lane], card->stream), "mark a moment");
}

i3d_status card_reach(struct card *card, int lane)
{
    return ask(cudaEventSynchronize(card->left[lane]), "end its work");
}

i3d_status card_get_pinned(struct card *card, size_t bytes, void **out)
{
    (void)card;
    *out = NULL;
    return bytes ? ask(cudaHostAlloc(out, bytes, cudaHostAllocDefault), "pin memory") : I3D_OK;
}

void card_free_pinned(struct card *card, void *memory)
{
    (void)card;
    if (memory)
        cudaFreeHost(memory);
}

i3d_status card_tick(struct card *card)
{
    return ask(cudaEventRecord(card->from, card->stream), "take the time");
}

i3d_status card_tock(struct card *card, float *milliseconds)
{
    i3d_status status;
    TRY(ask(cudaEventRecord(card->to, card->stream), "take the time"));
    TRY(ask(cudaEventSynchronize(card->to), "end its work"));
    TRY(ask(cudaEventElapsedTime(milliseconds, card->from, card->to), "take the time"));
out:
    return status;
}

i3d_status card_check(struct card *card)
{
    (void)card;
    return ask(cudaGetLastError(), "start a kernel");
}

bool card_records(const struct card *card)
{
    (void)card;
    return true;
}

i3d_status card_record(struct card *card)
{
    return ask(cudaStreamBeginCapture(card->stream, cudaStreamCaptureModeThreadLocal),
               "record its work");
}

i3d_status card_record_end(struct card *card, struct recording **out)
{
    struct recording *recording = NULL;
    cudaGraph_t graph = NULL;
    i3d_status status;
    *out = NULL;
    TRY(ask(cudaStreamEndCapture(card->stream, &graph), "record its work"));
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

i3d_status card_replay(struct card *card, struct recording *recording)
{
    return ask(cudaGraphLaunch(recording->graph, card->stream), "start its work");
}

void recording_free(struct recording *recording)
{
    if (recording && recording->graph)
        cudaGraphExecDestroy(recording->graph);
    memory_free(recording);
}
