/* A model on an engine, or a graph in ONNX Runtime. */
#include <i3d/network.h>

#include "base/failure.h"
#include "base/memory.h"
#include "engine/engine.h"
#include "network/finite.h"
#include "network/onnxruntime/onnxruntime.h"

#include <stdio.h>

struct i3d_network {
    const struct engine *engine; /* with its model and plan, or .. */
    const i3d_model *model;
    struct plan *plan;
    struct session *session; /* .. this, without an engine */
    i3d_network_shape shape;
    int batch;
};

static i3d_status check_batch(const i3d_network_options *options)
{
    if (options->batch < 1)
        return failure(I3D_EINVAL, "a network cannot run batches of %d clips: give 1 or more",
                       options->batch);
    return I3D_OK;
}

i3d_status i3d_network_create(const i3d_model *model, const i3d_network_options *options,
                              i3d_network **out)
{
    i3d_network *network = NULL;
    i3d_status status;
    const i3d_model_options *about = i3d_model_get_options(model);
    struct graph graph;
    struct plan_request request = { .graph = &graph,
                                    .batch = options->batch,
                                    .precision = options->precision,
                                    .purpose = PLAN_INFERENCE,
                                    .threads = options->threads };
    *out = NULL;
    TRY(check_batch(options));
    TRY(graph_create(model, options->frames, options->height, options->width, &graph));
    TRY(memory_get(1, sizeof *network, &network));
    network->batch = options->batch;
    network->model = model;
    network->shape = (i3d_network_shape){ .channels = about->channels,
                                          .classes = about->classes,
                                          .frames = options->frames,
                                          .height = options->height,
                                          .width = options->width };
    TRY(engine_find_device(options->engine, &network->engine, &request.device));
    TRY(network->engine->plan(&request, &network->plan));
    TRY(network->engine->upload(network->plan, PLAN_PARAMS, (struct range){ 0, graph.floats },
                                i3d_model_values(model)));
    *out = network;
    network = NULL;
out:
    i3d_network_free(network);
    return status;
}

i3d_status i3d_network_open(const char *path, const i3d_network_options *options, i3d_network **out)
{
    i3d_network *network = NULL;
    i3d_status status;
    *out = NULL;
    TRY(check_batch(options));
    TRY(memory_get(1, sizeof *network, &network));
    network->batch = options->batch;
    TRY(session_open(path, options, &network->session));
    network->shape = session_shape(network->session);
    *out = network;
    network = NULL;
out:
    i3d_network_free(network);
    return status == I3D_OK ? status : failure_prefix(status, "cannot run '%s': ", path);
}

i3d_network_shape i3d_network_get_shape(const i3d_network *network)
{
    return network->shape;
}

static i3d_status check_count(const i3d_network *network, int count)
{
    if (count < 1 || count > network->batch)
        return failure(I3D_EINVAL, "the network was made for 1 to %d clips a run, not %d",
                       network->batch, count);
    return I3D_OK;
}

i3d_status i3d_network_run(i3d_network *network, int count, const float *data, float *logits)
{
    i3d_status status;
    TRY(check_count(network, count));
    TRY(network->session ? session_run(network->session, count, data, logits)
                         : network->engine->forward(network->plan, count, data, NULL, logits));
    TRY(finite_check(network->model, &network->shape, count, data, logits));
out:
    return status;
}

i3d_status i3d_network_profile(i3d_network *network, int count, const float *data, float *logits,
                               i3d_layer_time *layers, int *layer_count)
{
    struct op_time times[GRAPH_OPS_MAX];
    struct graph graph;
    i3d_status status;
    const i3d_network_shape *shape = &network->shape;
    _Static_assert((int)GRAPH_OPS_MAX <= (int)I3D_LAYERS_MAX, "every operation is a layer");
    if (!network->engine || !network->engine->profile)
        return failure(I3D_EUNSUPPORTED,
                       "the engine '%s' does not tell the time of each layer: choose --engine cpu",
                       i3d_network_engine(network));
    TRY(check_count(network, count));
    TRY(graph_create(network->model, shape->frames, shape->height, shape->width, &graph));
    TRY(network->engine->profile(network->plan, count, data, logits, times));
    for (int i = 0; i < graph.op_count; i++) {
        layers[i] = (i3d_layer_time){ .seconds = times[i].seconds,
                                      .flops = count * op_flops(&graph, &graph.ops[i]) };
        snprintf(layers[i].name, sizeof layers[i].name, "%s", graph.ops[i].name);
        snprintf(layers[i].kernel, sizeof layers[i].kernel, "%s", times[i].kernel);
    }
    *layer_count = graph.op_count;
out:
    return status;
}

const char *i3d_network_engine(const i3d_network *network)
{
    return network->engine ? network->engine->name : "onnxruntime";
}

size_t i3d_network_memory(const i3d_network *network)
{
    return network->engine ? network->engine->memory(network->plan) : 0;
}

void i3d_network_free(i3d_network *network)
{
    if (!network)
        return;
    session_close(network->session);
    if (network->engine)
        network->engine->free(network->plan);
    memory_free(network);
}
