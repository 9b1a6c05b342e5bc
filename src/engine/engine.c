#include "engine/engine.h"

#include "base/failure.h"
#include "base/memory.h"

#include <string.h>

static i3d_status find_fastest(const struct engine **out)
{
    i3d_status status = I3D_EUNSUPPORTED;
    for (int i = 0; engines[i]; i++) {
        status = engines[i]->available();
        if (status == I3D_OK) {
            *out = engines[i];
            return I3D_OK;
        }
    }
    return status;
}

i3d_status engine_find(const char *name, const struct engine **out)
{
    char known[128] = "auto";
    *out = NULL;
    if (!name || strcmp(name, "auto") == 0)
        return find_fastest(out);
    for (int i = 0; engines[i]; i++) {
        if (strcmp(engines[i]->name, name) == 0) {
            i3d_status status = engines[i]->available();
            if (status == I3D_OK)
                *out = engines[i];
            return status;
        }
        strncat(known, ", ", sizeof known - strlen(known) - 1);
        strncat(known, engines[i]->name, sizeof known - strlen(known) - 1);
    }
    return failure(I3D_EUNSUPPORTED, "this program has no engine '%s': choose one of %s", name,
                   known);
}

struct i3d_network {
    const struct engine *engine;
    struct plan *plan;
    int batch;
};

i3d_status i3d_network_create(const i3d_model *model, const i3d_network_options *options,
                              i3d_network **out)
{
    i3d_network *network = NULL;
    i3d_status status;
    *out = NULL;
    if (options->batch < 1)
        return failure(I3D_EINVAL, "a network cannot run batches of %d clips: give 1 or more",
                       options->batch);
    struct plan_request request = { .model = model,
                                    .batch = options->batch,
                                    .precision = options->precision,
                                    .threads = options->threads };
    TRY(graph_create(model, options->frames, options->height, options->width, &request.graph));
    TRY(memory_get(1, sizeof *network, &network));
    network->batch = options->batch;
    TRY(engine_find(options->engine, &network->engine));
    TRY(network->engine->plan(&request, &network->plan));
    TRY(network->engine->load(network->plan));
    *out = network;
    network = NULL;
out:
    i3d_network_free(network);
    return status;
}

i3d_status i3d_network_run(i3d_network *network, int count, const float *data, float *logits)
{
    if (count < 1 || count > network->batch)
        return failure(I3D_EINVAL, "the network was made for 1 to %d clips a run, not %d",
                       network->batch, count);
    return network->engine->forward(network->plan, count, data, NULL, logits);
}

void i3d_network_free(i3d_network *network)
{
    if (!network)
        return;
    if (network->engine)
        network->engine->free(network->plan);
    memory_free(network);
}
