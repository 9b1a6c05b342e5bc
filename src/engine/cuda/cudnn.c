/* Convolutions by cuDNN's backend API: a graph of operations, engines that can run it, the fastest
 * of the first few by measuring. */
#include "engine/cuda/convolution.h"

#include "base/failure.h"
#include "base/memory.h"
#include "engine/cuda/choices.h"
#include "engine/cuda/cudnn.h"
#include "engine/cuda/descriptor.h"

#include <stdio.h>
#include <string.h>

enum { CONFIGS_MAX = 64 };

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

/* The engines' settings that cuDNN proposes, best first. */
struct configs {
    cudnnBackendDescriptor_t items[CONFIGS_MAX];
    int count;
};

static void clear_configs(struct configs *configs)
{
    for (int i = 0; i < CONFIGS_MAX; i++)
        descriptor_destroy(&configs->items[i]);
    configs->count = 0;
}

static i3d_status propose(const struct convolver *convolver, cudnnBackendDescriptor_t graph,
                          cudnnBackendHeurMode_t mode, struct configs *configs)
{
    struct descriptors own = { .count = 0 };
    cudnnBackendDescriptor_t proposer;
    int64_t found = 0, room = CONFIGS_MAX - configs->count;
    i3d_status status;
    TRY(descriptor_begin(&own, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, &proposer));
    TRY(descriptor_set(proposer, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH,
                       CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &graph));
    TRY(descriptor_set(proposer, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode));
    if (convolver->properties)
        TRY(descriptor_set(proposer, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP,
                           CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &convolver->properties));
    TRY(descriptor_finish(proposer, "propose engines"));
    for (int i = configs->count; i < CONFIGS_MAX; i++)
        if (!configs->items[i])
            TRY(cudnn_ask(cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR,
                                                       &configs->items[i]),
                          "make a descriptor"));
    TRY(cudnn_ask(cudnnBackendGetAttribute(proposer, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                           CUDNN_TYPE_BACKEND_DESCRIPTOR, room, &found,
                                           configs->items + configs->count),
                  "propose engines"));
    configs->count += (int)(found < room ? found : room);
out:
    descriptors_clear(&own);
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
    if (descriptor_begin(&own, CUDNN_BACKEND_ENGINE_DESCRIPTOR, &engine) != I3D_OK)
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
    descriptors_clear(&own);
    return good;
}

static i3d_status make_plan(const struct convolver *convolver, cudnnBackendDescriptor_t config,
                            cudnnBackendDescriptor_t *out, size_t *workspace)
{
    int64_t bytes = 0, count = 0;
    cudnnBackendDescriptor_t plan = NULL;
    i3d_status status;
    *out = NULL;
    TRY(cudnn_ask(cudnnBackendCreateDescriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, &plan),
                  "make a descriptor"));
    TRY(descriptor_set(plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                       1, &config));
    if (convolver->handle)
        TRY(descriptor_set(plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1,
                           &convolver->handle));
    else
        TRY(descriptor_set(plan, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP,
                           CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &convolver->properties));
    TRY(descriptor_finish(plan, "plan a convolution"));
    TRY(cudnn_ask(cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                                           CUDNN_TYPE_INT64, 1, &count, &bytes),
                  "tell its workspace"));
    *workspace = (size_t)bytes;
    *out = plan;
    plan = NULL;
out:
    descriptor_destroy(&plan);
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
    descriptor_destroy(&convolution->pack);
    TRY(cudnn_ask(
        cudnnBackendCreateDescriptor(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &convolution->pack),
        "make a descriptor"));
    TRY(descriptor_set(convolution->pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64,
                       count, uids));
    TRY(descriptor_set(convolution->pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS,
                       CUDNN_TYPE_VOID_PTR, count, data));
    TRY(descriptor_set(convolution->pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1,
                       &operands->workspace));
    TRY(descriptor_finish(convolution->pack, "take the operands"));
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
    TRY(cudnn_ask(
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
        descriptor_destroy(&trial.pack);
        if (runs && (!tries || milliseconds < best)) {
            descriptor_destroy(&convolution->plan);
            convolution->plan = trial.plan;
            convolution->workspace = trial.workspace;
            convolution->milliseconds = milliseconds;
            best = milliseconds;
            *chosen = i;
        } else {
            descriptor_destroy(&trial.plan);
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
    TRY(cudnn_describe(convolver->handle, shape, &all, &graph));
    TRY(find_plan(convolution, graph));
    *out = convolution;
    convolution = NULL;
out:
    convolver_release(convolution);
    descriptors_clear(&all);
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
    descriptor_destroy(&convolution->pack);
    descriptor_destroy(&convolution->plan);
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
    TRY(cudnn_ask(cudnnCreate(&convolver->handle), "start on this card"));
    TRY(cudnn_ask(cudnnSetStream(convolver->handle, card_stream(card)), "take the stream"));
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
    TRY(cudnn_ask(
        cudnnBackendCreateDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, &convolver->properties),
        "make a descriptor"));
    TRY(descriptor_set(convolver->properties, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION,
                       CUDNN_TYPE_CHAR, (int64_t)strlen(properties) + 1, properties));
    TRY(descriptor_finish(convolver->properties, "take the properties of a card"));
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
    descriptor_destroy(&convolver->properties);
    if (convolver->handle)
        cudnnDestroy(convolver->handle);
    memory_free(convolver);
}
