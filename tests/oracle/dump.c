/* Runs an engine on what an oracle made and writes all it computes, for a comparison in Python.
 *
 * oracle_dump FOLDER ENGINE PRECISION CHANNELS CLASSES HEAD EPSILON N T H W MODE
 *
 * MODE is describe (writes params.txt and values.txt, reads nothing), inference, training, or
 * frozen: training with running statistics in the batch norms before Mixed_4b, where nothing is
 * trained. Reads FOLDER/{params,data}.f32 and for training {keep,logits_gradient}.f32; writes
 * logits.f32, value_<index>.f32 where the engine keeps them, and for training gradients.f32. */
#include "base/file.h"
#include "base/memory.h"
#include "engine/engine.h"
#include "checkpoint/dialects.h"
#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(i3d_status status)
{
    if (status == I3D_OK)
        return;
    fprintf(stderr, "oracle_dump: %s\n", i3d_error());
    exit(1);
}

static const char *find_file(const char *folder, const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static float *read_floats(const char *folder, const char *name, size_t count)
{
    uint8_t *data;
    size_t bytes;
    check(file_read(find_file(folder, name), &data, &bytes));
    if (bytes != count * sizeof(float)) {
        fprintf(stderr, "oracle_dump: '%s' has %zu bytes, not %zu\n", name, bytes,
                count * sizeof(float));
        exit(1);
    }
    return (float *)(void *)data;
}

static void write_floats(const char *folder, const char *name, const float *data, size_t count)
{
    check(file_write(find_file(folder, name), data, count * sizeof *data));
}

static float *get_floats(size_t count)
{
    float *floats;
    check(memory_get(count, sizeof *floats, &floats));
    return floats;
}

static void describe(const char *folder, const i3d_model *model, const struct graph *graph)
{
    FILE *file = fopen(find_file(folder, "params.txt"), "w");
    for (size_t p = 0; p < i3d_model_param_count(model); p++) {
        const i3d_param *param = i3d_model_param(model, p);
        char name[DIALECT_NAME_BYTES];
        naming_param(&naming_mindspore, param, name);
        fprintf(file, "%s", name);
        for (int d = 0; d < param->rank; d++)
            fprintf(file, " %d", (int)param->shape[d]);
        fprintf(file, "\n");
    }
    fclose(file);
    file = fopen(find_file(folder, "values.txt"), "w");
    for (int v = 0; v < graph->value_count; v++) {
        const struct value *value = &graph->values[v];
        fprintf(file, "%s %d %d %d %d\n", value->name, value->channels, value->t, value->h,
                value->w);
    }
    fclose(file);
}

/* As the fine-tuning of Mixed_4 and above: what is in front is neither trained nor normalised by
 * the batch. */
static void freeze_front(struct plan_request *request)
{
    static bool trained[GRAPH_PARAMS_MAX], frozen[GRAPH_OPS_MAX];
    bool front = true;
    for (int i = 0; i < request->graph->op_count; i++) {
        const struct op *op = &request->graph->ops[i];
        if (strncmp(op->name, "Mixed_4b", 8) == 0)
            front = false;
        frozen[i] = front;
        for (int role = 0; role < I3D_PARAM_ROLES; role++)
            if (op->params[role] >= 0)
                trained[op->params[role]] = !front;
    }
    request->trained = trained;
    request->frozen = frozen;
}

static void write_values(const char *folder, const struct engine *engine, struct plan *plan,
                         const struct plan_request *request)
{
    for (int v = 0; v < request->graph->value_count; v++) {
        size_t count = (size_t)request->batch * value_floats(&request->graph->values[v]);
        float *value = get_floats(count);
        char name[32];
        snprintf(name, sizeof name, "value_%d.f32", v);
        if (engine->read_value(plan, v, value) == I3D_OK)
            write_floats(folder, name, value, count);
        memory_free(value);
    }
}

/* Laid out as the parameters, with the batch's statistics where the running ones are. */
static void read_gradients(const struct engine *engine, struct plan *plan,
                           const struct graph *graph, float *out)
{
    check(engine->download(plan, PLAN_GRADIENTS, (struct range){ 0, graph->floats }, out));
    for (int i = 0; i < graph->op_count; i++) {
        const struct op *op = &graph->ops[i];
        size_t channels = (size_t)op->channels;
        if (!op->norm)
            continue;
        check(engine->download(plan, PLAN_STATISTICS, (struct range){ op->statistics, channels },
                               out + graph_param(graph, op, I3D_PARAM_MEAN)->offset));
        check(engine->download(plan, PLAN_STATISTICS,
                               (struct range){ op->statistics + channels, channels },
                               out + graph_param(graph, op, I3D_PARAM_VARIANCE)->offset));
    }
}

static void run(const char *folder, const struct engine *engine, const i3d_model *model,
                const struct plan_request *request)
{
    const struct graph *graph = request->graph;
    size_t batch = (size_t)request->batch, outputs = batch * graph_output_floats(graph);
    size_t params = graph->floats;
    float *data = read_floats(folder, "data.f32", batch * value_floats(&graph->values[0]));
    float *logits = get_floats(outputs);
    struct plan *plan;
    check(engine->plan(request, &plan));
    check(engine->upload(plan, PLAN_PARAMS, (struct range){ 0, params }, i3d_model_values(model)));
    if (request->purpose == PLAN_TRAINING) {
        const struct value *features = &graph->values[graph->value_count - 1];
        float *keep = read_floats(folder, "keep.f32", batch * value_floats(features));
        float *logits_gradient = read_floats(folder, "logits_gradient.f32", outputs);
        float *gradients = get_floats(params);
        check(engine->forward(plan, request->batch, data, keep, logits));
        check(engine->backward(plan, logits_gradient, NULL));
        read_gradients(engine, plan, graph, gradients);
        write_floats(folder, "gradients.f32", gradients, params);
        memory_free(keep);
        memory_free(logits_gradient);
        memory_free(gradients);
    } else {
        check(engine->forward(plan, request->batch, data, NULL, logits));
    }
    write_floats(folder, "logits.f32", logits, outputs);
    write_values(folder, engine, plan, request);
    engine->free(plan);
    memory_free(data);
    memory_free(logits);
}

static i3d_precision find_precision(const char *name)
{
    return strcmp(name, "bf16") == 0       ? I3D_PRECISION_BF16
           : strcmp(name, "fp32-f64") == 0 ? I3D_PRECISION_F32_F64
                                           : I3D_PRECISION_F32;
}

int main(int argc, char **argv)
{
    if (argc != 13) {
        fprintf(stderr, "usage: oracle_dump FOLDER ENGINE PRECISION CHANNELS CLASSES HEAD EPSILON "
                        "N T H W MODE\n");
        return 2;
    }
    const char *folder = argv[1], *mode = argv[12];
    i3d_model_options options = { .channels = atoi(argv[4]),
                                  .classes = atoi(argv[5]),
                                  .head = strcmp(argv[6], "max") == 0 ? I3D_HEAD_MAX : I3D_HEAD_AVG,
                                  .bn_epsilon = atof(argv[7]) };
    i3d_model *model;
    const struct engine *engine;
    check(i3d_model_create(&options, &model));
    check(engine_find(argv[2], &engine));
    struct graph graph;
    check(graph_create(model, atoi(argv[9]), atoi(argv[10]), atoi(argv[11]), &graph));
    struct plan_request request = { .graph = &graph,
                                    .batch = atoi(argv[8]),
                                    .precision = find_precision(argv[3]),
                                    .purpose = strcmp(mode, "inference") == 0 ? PLAN_INFERENCE
                                                                              : PLAN_TRAINING };
    if (strcmp(mode, "describe") == 0) {
        describe(folder, model, &graph);
    } else {
        size_t count = i3d_model_data_count(model);
        float *params = read_floats(folder, "params.f32", count);
        memcpy(i3d_model_data(model), params, count * sizeof *params);
        memory_free(params);
        if (strcmp(mode, "frozen") == 0)
            freeze_front(&request);
        run(folder, engine, model, &request);
    }
    i3d_model_free(model);
    return 0;
}
