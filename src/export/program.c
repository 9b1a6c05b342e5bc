#include "export/program.h"

#include "base/memory.h"
#include "base/failure.h"
#include "checkpoint/dialects.h"
#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The graph being rewritten. */
struct rewrite {
    const struct graph *graph;
    struct program *program;
    struct {
        int step;                               /* that gives the value, once all of it is there */
        int pieces[STEP_INPUTS], count, filled; /* the steps that give channels of it, in order */
    } values[GRAPH_VALUES_MAX];
};

/* There is room for every operation's steps. */
static struct instruction *add_step(struct rewrite *at, enum step_kind kind, int input,
                                    int channels, const int size[3], const char *name,
                                    const char *suffix)
{
    struct program *program = at->program;
    struct instruction *step = &program->steps[program->count++];
    *step = (struct instruction){ .kind = kind,
                                  .input_count = 1,
                                  .inputs = { input },
                                  .channels = channels,
                                  .size = { size[0], size[1], size[2] } };
    snprintf(step->name, sizeof step->name, "%s%s", name, suffix);
    return step;
}

static int last_step(const struct rewrite *at)
{
    return at->program->count - 1;
}

static void set_window(struct instruction *step, const struct op *op)
{
    for (int d = 0; d < 3; d++) {
        step->kernel[d] = op->kernel[d];
        step->stride[d] = op->stride[d];
        step->front[d] = op->front[d];
        step->back[d] = op->back[d];
    }
}

static void add_constant(struct instruction *step, const i3d_param *param, const float *data)
{
    char name[DIALECT_NAME_BYTES];
    struct constant *constant = &step->constants[step->constant_count++];
    *constant = (struct constant){ .rank = param->rank,
                                   .count = param->count,
                                   .data = data + param->offset };
    memcpy(constant->shape, param->shape, sizeof constant->shape);
    naming_param(&naming_mindspore, param, name);
    snprintf(constant->name, sizeof constant->name, "%s", name);
}

/* w x + 0 and then (y - mean) gamma / sqrt(variance + epsilon) + beta as one convolution. The bias
 * takes the name of the weight and the place of beta. */
static void add_folded(struct rewrite *at, struct instruction *step, const struct op *op)
{
    const float *data = at->program->model->data;
    float *folded = at->program->folded;
    const i3d_param *weight = graph_param(at->graph, op, I3D_PARAM_WEIGHT);
    const i3d_param *beta = graph_param(at->graph, op, I3D_PARAM_BETA);
    const float *gammas = data + graph_param(at->graph, op, I3D_PARAM_GAMMA)->offset;
    const float *means = data + graph_param(at->graph, op, I3D_PARAM_MEAN)->offset;
    const float *variances = data + graph_param(at->graph, op, I3D_PARAM_VARIANCE)->offset;
    size_t fan = weight->count / (size_t)weight->shape[0];
    for (size_t c = 0; c < beta->count; c++) {
        double variance = variances[c];
        double scale = gammas[c] / sqrt(variance + at->graph->bn_epsilon);
        const float *from = data + weight->offset + c * fan;
        for (size_t i = 0; i < fan; i++)
            folded[weight->offset + c * fan + i] = (float)(from[i] * scale);
        folded[beta->offset + c] = (float)(data[beta->offset + c] - means[c] * scale);
    }
    add_constant(step, weight, folded);
    add_constant(step, beta, folded);
    char *name = step->constants[1].name;
    memcpy(name, step->constants[0].name, sizeof step->constants[1].name);
    memcpy(strrchr(name, '.'), ".bias", sizeof ".bias");
}

static const i3d_param_role norm_roles[] = { I3D_PARAM_GAMMA, I3D_PARAM_BETA, I3D_PARAM_MEAN,
                                             I3D_PARAM_VARIANCE };

static void add_conv(struct rewrite *at, const struct op *op)
{
    const i3d_model *model = at->program->model;
    int input = at->values[op->in].step;
    struct instruction *conv =
        add_step(at, STEP_CONV, input, op->channels, op->size_out, op->name, ".conv");
    set_window(conv, op);
    if (at->program->options.fold_bn) {
        add_folded(at, conv, op);
    } else {
        add_constant(conv, graph_param(at->graph, op, I3D_PARAM_WEIGHT), model->data);
        struct instruction *norm =
            add_step(at, STEP_NORM, last_step(at), op->channels, op->size_out, op->name, ".bn");
        for (size_t i = 0; i < sizeof norm_roles / sizeof norm_roles[0]; i++)
            add_constant(norm, graph_param(at->graph, op, norm_roles[i]), model->data);
    }
    add_step(at, STEP_RELU, last_step(at), op->channels, op->size_out, op->name, "");
}

static void add_pool(struct rewrite *at, const struct op *op)
{
    struct instruction *pool = add_step(at, STEP_MAX_POOL, at->values[op->in].step, op->channels,
                                        op->size_out, op->name, "");
    set_window(pool, op);
}

static void add_head(struct rewrite *at, const struct op *op)
{
    static const int one[3] = { 1, 1, 1 };
    const i3d_model *model = at->program->model;
    const struct graph *graph = at->graph;
    bool max = graph->head == I3D_HEAD_MAX;
    struct instruction *pool =
        add_step(at, max ? STEP_MAX_POOL : STEP_AVG_POOL, at->values[op->in].step, op->channels,
                 op->size_out, "features", "");
    set_window(pool, op);
    pool->whole = max;
    struct instruction *logits =
        add_step(at, STEP_CONV, last_step(at), graph->classes, op->size_out, "logits.conv", "");
    for (int d = 0; d < 3; d++)
        logits->kernel[d] = logits->stride[d] = 1;
    add_constant(logits, graph_param(graph, op, I3D_PARAM_WEIGHT), model->data);
    add_constant(logits, graph_param(graph, op, I3D_PARAM_BIAS), model->data);
    add_step(at, STEP_MEAN, last_step(at), graph->classes, one, "logits", "");
}

/* Only the operations of an I3D have a form here, and branches that are written in order. */
static i3d_status check_op(const struct rewrite *at, const struct op *op)
{
    bool known =
        op->kind == OP_HEAD || op->kind == OP_POOL || (op->kind == OP_CONV && op->norm && op->relu);
    bool fits = op->kind == OP_HEAD || (at->values[op->out].count < STEP_INPUTS &&
                                        at->values[op->out].filled == op->out_channel);
    return known && fits
               ? I3D_OK
               : failure(I3D_EUNSUPPORTED, "the exporters have no form of '%s'", op->name);
}

/* Notes that the last step gives channels of a value; the branches of a block are put together
 * behind the last of them. */
static void fill_value(struct rewrite *at, const struct op *op)
{
    const struct value *value = &at->graph->values[op->out];
    int count = at->values[op->out].count++;
    at->values[op->out].pieces[count] = last_step(at);
    at->values[op->out].filled += op->channels;
    if (at->values[op->out].filled < value->channels)
        return;
    if (count > 0) {
        const int size[3] = { value->t, value->h, value->w };
        struct instruction *concat =
            add_step(at, STEP_CONCAT, 0, value->channels, size, value->name, "");
        concat->input_count = count + 1;
        memcpy(concat->inputs, at->values[op->out].pieces, sizeof concat->inputs);
    }
    at->values[op->out].step = last_step(at);
}

static i3d_status rewrite_graph(struct rewrite *at)
{
    i3d_status status = I3D_OK;
    const struct value *data = &at->graph->values[0];
    const int size[3] = { data->t, data->h, data->w };
    add_step(at, STEP_DATA, 0, data->channels, size, data->name, "")->input_count = 0;
    for (int i = 0; i < at->graph->op_count; i++) {
        const struct op *op = &at->graph->ops[i];
        TRY(check_op(at, op));
        if (op->kind == OP_HEAD) {
            add_head(at, op);
            continue;
        }
        if (op->kind == OP_CONV)
            add_conv(at, op);
        else
            add_pool(at, op);
        fill_value(at, op);
    }
out:
    return status;
}

i3d_status program_create(const i3d_model *model, const i3d_export_options *options,
                          struct program **out)
{
    i3d_status status;
    struct graph *graph = NULL;
    struct rewrite *at = NULL;
    struct program *program = NULL;
    *out = NULL;
    TRY(memory_get(1, sizeof *graph, &graph));
    TRY(memory_get(1, sizeof *at, &at));
    TRY(memory_get(1, sizeof *program, &program));
    program->model = model;
    program->options = *options;
    if (options->fold_bn)
        TRY(memory_get(model->graph.floats, sizeof *program->folded, &program->folded));
    TRY(graph_create(model, options->frames, options->height, options->width, graph));
    *at = (struct rewrite){ .graph = graph, .program = program };
    TRY(rewrite_graph(at));
    *out = program;
    program = NULL;
out:
    program_free(program);
    memory_free(at);
    memory_free(graph);
    return status;
}

void program_free(struct program *program)
{
    if (!program)
        return;
    memory_free(program->folded);
    memory_free(program);
}
