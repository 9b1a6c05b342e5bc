#include "train/calibrate.h"

#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"
#include "engine/engine.h"

#include <math.h>
#include <string.h>

/* How many convolutions data pass one after the other. */
static int depth_of(const struct graph *graph)
{
    int level[GRAPH_VALUES_MAX] = { 0 }, deepest = 0;
    for (int o = 0; o < graph->op_count; o++) {
        const struct op *op = &graph->ops[o];
        int reached = level[op->in] + (op->kind == OP_CONV);
        if (reached > level[op->out])
            level[op->out] = reached;
        if (reached > deepest)
            deepest = reached;
    }
    return deepest;
}

/* Gives the norm of `op` the mean and variance in `batch`, and the scale and shift that make it
 * compute what it did in `before`. All are laid out as the model's data. */
static void renorm(const i3d_model *model, const struct op *op, const float *before,
                   const float *batch, float *data)
{
    size_t at[5]; /* weight, gamma, beta, mean, variance */
    double epsilon = i3d_model_get_options(model)->bn_epsilon;
    for (size_t p = 0; p < 5; p++)
        at[p] = i3d_model_param(model, (size_t)op->param + p)->offset;
    for (size_t c = 0; c < (size_t)op->channels; c++) {
        double scale = before[at[1] + c] / sqrt(before[at[4] + c] + epsilon);
        double shift = before[at[2] + c] - scale * before[at[3] + c];
        double mean = batch[at[3] + c], variance = batch[at[4] + c];
        data[at[1] + c] = (float)(scale * sqrt(variance + epsilon));
        data[at[2] + c] = (float)(shift + scale * mean);
        data[at[3] + c] = (float)mean;
        data[at[4] + c] = (float)variance;
    }
}

struct pass {
    const struct engine *engine;
    struct plan *plan;
    bool *trained;
    float *before, *grads, *logits, *zeros;
};

/* A plan that gives every norm's statistics, and no gradient but the logits'. */
static i3d_status plan_pass(i3d_model *model, const i3d_train_options *options,
                            const i3d_batch *batch, struct plan_request *request, struct pass *pass)
{
    i3d_status status;
    size_t params = i3d_model_param_count(model), floats = i3d_model_data_count(model);
    size_t logits = (size_t)batch->count * (size_t)i3d_model_get_options(model)->classes;
    TRY(memory_get(params, sizeof(bool), &pass->trained));
    pass->trained[params - 1] = true;
    *request = (struct plan_request){ .model = model,
                                      .batch = batch->count,
                                      .precision = I3D_PRECISION_F32,
                                      .training = true,
                                      .threads = options->threads,
                                      .trained = pass->trained };
    TRY(graph_create(model, batch->frames, batch->height, batch->width, &request->graph));
    TRY(engine_find(options->engine, &pass->engine));
    TRY(pass->engine->plan(request, &pass->plan));
    TRY(memory_get(floats, sizeof(float), &pass->before));
    TRY(memory_get(floats, sizeof(float), &pass->grads));
    TRY(memory_get(logits, sizeof(float), &pass->logits));
    TRY(memory_get(logits, sizeof(float), &pass->zeros));
    memcpy(pass->before, i3d_model_data(model), floats * sizeof(float));
out:
    return status;
}

/* A norm's statistics are right once those before it compute what they should, so each pass settles
 * one more layer. */
i3d_status calibrate(i3d_model *model, const i3d_train_options *options, const i3d_batch *batch)
{
    struct plan_request request;
    struct pass pass = { 0 };
    i3d_status status;
    TRY(plan_pass(model, options, batch, &request, &pass));
    int depth = depth_of(&request.graph);
    for (int i = 0; i < depth; i++) {
        TRY(check_interrupt());
        talk_progress("calibrating", i, depth);
        TRY(pass.engine->load(pass.plan));
        TRY(pass.engine->forward(pass.plan, batch->count, batch->data, NULL, pass.logits));
        TRY(pass.engine->backward(pass.plan, pass.zeros, pass.grads));
        for (int o = 0; o < request.graph.op_count; o++)
            if (request.graph.ops[o].kind == OP_CONV)
                renorm(model, &request.graph.ops[o], pass.before, pass.grads,
                       i3d_model_data(model));
    }
    talk_progress("calibrating", depth, depth);
out:
    if (pass.engine)
        pass.engine->free(pass.plan);
    memory_free(pass.trained);
    memory_free(pass.before);
    memory_free(pass.grads);
    memory_free(pass.logits);
    memory_free(pass.zeros);
    return status;
}

i3d_status i3d_model_calibrate(i3d_model *model, const i3d_dataset *dataset,
                               const i3d_train_options *options)
{
    i3d_loader *loader = NULL;
    const i3d_batch *batch;
    i3d_status status;
    i3d_loader_options load = { .clip = options->clip,
                                .batch = options->batch,
                                .shuffle = true,
                                .seed = options->seed,
                                .workers = options->workers };
    TRY(i3d_loader_create(dataset, &load, &loader));
    TRY(i3d_loader_start(loader, 0, 0));
    do
        TRY(i3d_loader_next(loader, &batch));
    while (!batch->count);
    TRY(calibrate(model, options, batch));
out:
    i3d_loader_free(loader);
    return status;
}
