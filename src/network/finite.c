#include "network/finite.h"
#include "engine/engine.h"

#include "base/failure.h"
#include "base/memory.h"

#include <math.h>

static bool all_finite(const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return false;
    return true;
}

static bool params_finite(const i3d_model *model, const struct graph *graph, const struct op *op)
{
    for (int role = 0; role < I3D_PARAM_ROLES; role++) {
        const i3d_param *param = graph_param(graph, op, (i3d_param_role)role);
        if (param && !all_finite(i3d_model_values(model) + param->offset, param->count))
            return false;
    }
    return true;
}

/* Of the channels that the operation writes, in one clip. */
static bool output_finite(const struct graph *graph, const struct op *op, const float *value)
{
    const struct value *out = &graph->values[op->out];
    size_t channel = value_floats(out) / (size_t)out->channels;
    size_t channels = (size_t)(op->kind == OP_HEAD ? out->channels : op->channels);
    return all_finite(value + (size_t)op->out_channel * channel, channels * channel);
}

static size_t largest_value(const struct graph *graph)
{
    size_t most = 0;
    for (int v = 0; v < graph->value_count; v++)
        if (value_floats(&graph->values[v]) > most)
            most = value_floats(&graph->values[v]);
    return most;
}

static i3d_status begins_at(const char *layer)
{
    return failure(I3D_EFORMAT,
                   "the first layer that gives a number that is not finite is '%s': load other "
                   "weights, or train with a smaller learning rate",
                   layer);
}

/* The operation that begins it, by its name: an I3D_EFORMAT, unless something else fails. */
static i3d_status name_layer(const i3d_model *model, const struct engine *engine, struct plan *plan,
                             const struct graph *graph)
{
    float *value = NULL;
    i3d_status status;
    TRY(memory_get(largest_value(graph), sizeof *value, &value));
    for (int i = 0; i < graph->op_count; i++) {
        const struct op *op = &graph->ops[i];
        if (!params_finite(model, graph, op))
            TRY(failure(I3D_EFORMAT,
                        "a parameter of '%s' is not a finite number: load other weights",
                        op->name));
        TRY(engine->read_value(plan, op->out, value));
        if (!output_finite(graph, op, value))
            TRY(begins_at(op->name));
    }
out:
    memory_free(value);
    return status;
}

static i3d_status explain(const i3d_model *model, const i3d_network_shape *shape, const float *clip)
{
    i3d_status status;
    const struct engine *engine;
    struct plan *plan = NULL;
    float *logits = NULL;
    struct graph graph;
    const struct plan_request request = { .graph = &graph, .batch = 1, .purpose = PLAN_INFERENCE };
    TRY(graph_create(model, shape->frames, shape->height, shape->width, &graph));
    if (!all_finite(clip, value_floats(&graph.values[0])))
        return failure(I3D_EFORMAT, "the clip holds a number that is not finite: make it again");
    TRY(memory_get((size_t)shape->classes, sizeof *logits, &logits));
    TRY(engine_find("reference", &engine));
    status = engine->plan(&request, &plan);
    if (status == I3D_ENOMEM)
        TRY(failure_prefix(I3D_EFORMAT,
                           "the logits are not finite: try other weights, or --precision "
                           "fp32; which layer begins it is not known, for there is "));
    if (status != I3D_OK)
        goto out;
    TRY(engine->upload(plan, PLAN_PARAMS, (struct range){ 0, graph.floats },
                       i3d_model_values(model)));
    TRY(engine->forward(plan, 1, clip, NULL, logits));
    TRY(name_layer(model, engine, plan, &graph));
    status = all_finite(logits, (size_t)shape->classes)
                 ? failure(I3D_EFORMAT, "the logits are not finite, but those of plain C are: try "
                                        "--precision fp32 or --engine reference")
                 : begins_at("logits");
out:
    if (plan)
        engine->free(plan);
    memory_free(logits);
    return status;
}

i3d_status finite_check(const i3d_model *model, const i3d_network_shape *shape, int count,
                        const float *data, const float *logits)
{
    size_t classes = (size_t)shape->classes, clip = (size_t)shape->channels *
                                                    (size_t)shape->frames * (size_t)shape->height *
                                                    (size_t)shape->width;
    for (size_t n = 0; n < (size_t)count; n++) {
        if (all_finite(logits + n * classes, classes))
            continue;
        if (model)
            return explain(model, shape, data + n * clip);
        return failure(I3D_EFORMAT,
                       all_finite(data + n * clip, clip)
                           ? "the graph's logits are not finite: export other weights"
                           : "the clip holds a number that is not finite: make it again");
    }
    return I3D_OK;
}
