#include "train/calibrate.h"

#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"
#include "comm/comm.h"
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

/* What a norm is made of, in an array laid out as the parameters. */
struct norm_params {
    float *gamma, *beta, *mean, *variance;
};

static struct norm_params find_norm(const struct graph *graph, const struct op *op, float *data)
{
    return (struct norm_params){ .gamma = data + graph_param(graph, op, I3D_PARAM_GAMMA)->offset,
                                 .beta = data + graph_param(graph, op, I3D_PARAM_BETA)->offset,
                                 .mean = data + graph_param(graph, op, I3D_PARAM_MEAN)->offset,
                                 .variance =
                                     data + graph_param(graph, op, I3D_PARAM_VARIANCE)->offset };
}

/* Gives the norm of `op` the batch's mean and variance, and the scale and shift that make it
 * compute what it did in `before`. */
static void renorm(const struct graph *graph, const struct op *op, float *before,
                   const float *statistics, float *data)
{
    struct norm_params old = find_norm(graph, op, before), norm = find_norm(graph, op, data);
    const float *means = statistics + op->statistics, *variances = means + op->channels;
    for (int c = 0; c < op->channels; c++) {
        double scale = old.gamma[c] / sqrt(old.variance[c] + graph->bn_epsilon);
        double shift = old.beta[c] - scale * old.mean[c];
        double mean = means[c], variance = variances[c];
        norm.gamma[c] = (float)(scale * sqrt(variance + graph->bn_epsilon));
        norm.beta[c] = (float)(shift + scale * mean);
        norm.mean[c] = (float)mean;
        norm.variance[c] = (float)variance;
    }
}

struct pass {
    struct graph graph;
    const struct engine *engine;
    struct plan *plan;
    bool *trained; /* nothing: a forward pass gives the statistics */
    float *before, *statistics, *logits;
};

static i3d_status join(void *context, struct array array)
{
    return comm_sum(context, array);
}

static i3d_status plan_pass(const i3d_model *model, const i3d_train_options *options,
                            const i3d_batch *batch, struct pass *pass)
{
    i3d_status status;
    size_t floats = i3d_model_data_count(model);
    TRY(graph_create(model, batch->frames, batch->height, batch->width, &pass->graph));
    TRY(memory_get((size_t)pass->graph.param_count, sizeof(bool), &pass->trained));
    struct plan_request request = { .graph = &pass->graph,
                                    .batch = options->batch,
                                    .precision = I3D_PRECISION_F32,
                                    .purpose = PLAN_TRAINING,
                                    .threads = options->threads,
                                    .trained = pass->trained };
    if (options->comm && options->comm->size > 1)
        request.join = (struct join){ .sum = join, .context = options->comm };
    TRY(engine_find_device(options->engine, &pass->engine, &request.device));
    TRY(pass->engine->plan(&request, &pass->plan));
    TRY(memory_get(floats, sizeof(float), &pass->before));
    TRY(memory_get(pass->graph.statistics, sizeof(float), &pass->statistics));
    TRY(memory_get((size_t)options->batch * (size_t)pass->graph.classes, sizeof(float),
                   &pass->logits));
    memcpy(pass->before, i3d_model_values(model), floats * sizeof(float));
out:
    return status;
}

static i3d_status measure(struct pass *pass, const i3d_model *model, const i3d_batch *batch)
{
    i3d_status status;
    TRY(pass->engine->upload(pass->plan, PLAN_PARAMS, (struct range){ 0, pass->graph.floats },
                             i3d_model_values(model)));
    TRY(pass->engine->forward(pass->plan, batch->count, batch->data, NULL, pass->logits));
    TRY(pass->engine->download(pass->plan, PLAN_STATISTICS,
                               (struct range){ 0, pass->graph.statistics }, pass->statistics));
out:
    return status;
}

/* A norm's statistics are right once those before it compute what they should, so each pass settles
 * one more layer. */
i3d_status calibrate(i3d_model *model, const i3d_train_options *options, const i3d_batch *batch)
{
    struct pass pass = { 0 };
    i3d_status status;
    TRY(plan_pass(model, options, batch, &pass));
    int depth = depth_of(&pass.graph);
    for (int i = 0; i < depth; i++) {
        TRY(check_interrupt());
        talk_progress("calibrating", i, depth);
        TRY(measure(&pass, model, batch));
        for (int o = 0; o < pass.graph.op_count; o++)
            if (pass.graph.ops[o].norm)
                renorm(&pass.graph, &pass.graph.ops[o], pass.before, pass.statistics,
                       i3d_model_data(model));
    }
    talk_progress("calibrating", depth, depth);
out:
    if (pass.engine)
        pass.engine->free(pass.plan);
    memory_free(pass.trained);
    memory_free(pass.before);
    memory_free(pass.statistics);
    memory_free(pass.logits);
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
                                .workers = options->workers,
                                .share = options->comm ? options->comm->rank : 0,
                                .shares = options->comm ? options->comm->size : 1 };
    TRY(i3d_loader_create(dataset, &load, &loader));
    TRY(i3d_loader_start(loader, 0, 0));
    do
        TRY(i3d_loader_next(loader, &batch));
    while (!batch->count && load.shares == 1);
    TRY(calibrate(model, options, batch));
out:
    i3d_loader_free(loader);
    return status;
}
