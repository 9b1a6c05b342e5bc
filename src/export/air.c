/* Ascend's AIR, the model of its graph engine (gitee.com/ascend/metadef, proto/ge_ir.proto), with
 * operators as its op_proto headers declare them:
 *
 *     ModelDef { name = 1; custom_version = 3; graph = 7; attr = 11; }
 *     GraphDef { name = 1; input = 4; output = 5; op = 6; }
 *     OpDef { name = 1; type = 2; input = 5; attr = 10; input_desc = 33; output_desc = 34; }
 *     TensorDescriptor { dtype = 2; shape = 3 { dim = 1; } layout = 4; }
 *     TensorDef { desc = 1; data = 2; }
 *     AttrDef { list = 1 { s = 2; i = 3; val_type = 20; } s = 2; i = 3; f = 4; b = 5; t = 12; }
 *
 * An attr is a map's entry { key = 1; value = 2; }. An input is "operator:output". Parameters are
 * operators too, "Const". Batch norms are of two dimensions, as in MINDIR. */
#include "export/format.h"

#include <i3d/version.h>

#include <stdio.h>
#include <string.h>

enum { TYPE_FLOAT = 1, TYPE_INT64 = 9, LIST_STRING = 1, LIST_INT = 2, NAME_BYTES = 64 };

/* What an operator gives and others read. */
struct result {
    const char *name; /* of the operator */
    int type, rank;
    int64_t shape[5];
};

static struct message describe(const struct result *result)
{
    static const char *const layouts[6] = { "ND", "ND", "ND", "ND", "NCHW", "NCDHW" };
    struct message description = { 0 }, shape = { 0 };
    for (int i = 0; i < result->rank; i++)
        message_number(&shape, 1, result->shape[i]);
    message_number(&description, 2, result->type);
    message_child(&description, 3, &shape);
    message_text(&description, 4, layouts[result->rank]);
    return description;
}

static void put_attribute(struct message *op, const char *name, struct message *value)
{
    struct message entry = { 0 };
    message_text(&entry, 1, name);
    message_child(&entry, 2, value);
    message_child(op, 10, &entry);
}

static void put_string(struct message *op, const char *name, const char *text)
{
    struct message value = { 0 };
    message_text(&value, 2, text);
    put_attribute(op, name, &value);
}

static void put_int(struct message *op, const char *name, int number)
{
    struct message value = { 0 };
    message_number(&value, 3, number);
    put_attribute(op, name, &value);
}

static void put_float(struct message *op, const char *name, double number)
{
    struct message value = { 0 };
    message_float(&value, 4, (float)number);
    put_attribute(op, name, &value);
}

static void put_bool(struct message *op, const char *name, bool truth)
{
    struct message value = { 0 };
    message_number(&value, 5, truth);
    put_attribute(op, name, &value);
}

static void put_ints(struct message *op, const char *name, int count, const int *numbers)
{
    struct message list = { 0 }, value = { 0 };
    for (int i = 0; i < count; i++)
        message_number(&list, 3, numbers[i]);
    message_number(&list, 20, LIST_INT);
    message_child(&value, 1, &list);
    put_attribute(op, name, &value);
}

static void put_strings(struct message *op, const char *name, int count, const char *const *texts)
{
    struct message list = { 0 }, value = { 0 };
    for (int i = 0; i < count; i++)
        message_text(&list, 2, texts[i]);
    message_number(&list, 20, LIST_STRING);
    message_child(&value, 1, &list);
    put_attribute(op, name, &value);
}

/* [1, 1, t, h, w]: windows have an entry for batch and channels too. */
static void put_window(struct message *op, const char *name, const int values[3])
{
    const int all[5] = { 1, 1, values[0], values[1], values[2] };
    put_ints(op, name, 5, all);
}

static void put_pads(struct message *op, const struct instruction *step)
{
    const int pads[6] = { step->front[0], step->back[0],  step->front[1],
                          step->back[1],  step->front[2], step->back[2] };
    put_ints(op, "pads", 6, pads);
}

/* The engine finds inputs and outputs by the names that the operator's declaration has. */
static void put_names(struct message *op, const char *which, int count, const char *const *names)
{
    static const int order[] = { 0, 1, 2, 3, 4 };
    char key[32];
    snprintf(key, sizeof key, "_%s_name_key", which);
    put_strings(op, key, count, names);
    snprintf(key, sizeof key, "_%s_name_value", which);
    put_ints(op, key, count, order);
}

static void put_input(struct message *op, const struct result *from)
{
    struct message description = describe(from);
    message_format(op, 5, "%s:0", from->name);
    message_child(op, 33, &description);
}

/* Adds an operator whose attributes and inputs are in `op`; `inputs` are their declared names. */
static void end_operator(struct message *graph, struct message *op, const char *type,
                         const char *const *inputs, int count, const struct result *result)
{
    static const char *const outputs[] = { "y" };
    struct message description = describe(result);
    message_text(op, 1, result->name);
    message_text(op, 2, type);
    if (count)
        put_names(op, "input", count, inputs);
    put_names(op, "output", 1, outputs);
    message_child(op, 34, &description);
    message_child(graph, 6, op);
}

static void put_const(struct message *graph, const struct result *result, const void *data,
                      size_t bytes)
{
    struct message op = { 0 }, tensor = { 0 }, value = { 0 }, description = describe(result);
    message_child(&tensor, 1, &description);
    message_bytes(&tensor, 2, data, bytes);
    message_child(&value, 12, &tensor);
    put_attribute(&op, "value", &value);
    end_operator(graph, &op, "Const", NULL, 0, result);
}

static struct result constant_result(const struct constant *constant)
{
    struct result result = { constant->name, TYPE_FLOAT, constant->rank, { 0 } };
    memcpy(result.shape, constant->shape, sizeof result.shape);
    return result;
}

static struct result step_result(const struct program *program, const struct instruction *step)
{
    struct result result = { step->name, TYPE_FLOAT, step->kind == STEP_MEAN ? 2 : 5, { 0 } };
    result.shape[0] = program->options.batch;
    result.shape[1] = step->channels;
    for (int d = 0; d < 3; d++)
        result.shape[2 + d] = step->size[d];
    return result;
}

static void put_reshape(struct message *graph, const struct result *from, const struct result *to)
{
    static const char *const inputs[] = { "x", "shape" };
    struct message op = { 0 };
    char name[NAME_BYTES + 8];
    struct result shape = { name, TYPE_INT64, 1, { to->rank } };
    snprintf(name, sizeof name, "%s.shape", to->name);
    put_const(graph, &shape, to->shape, (size_t)to->rank * sizeof to->shape[0]);
    put_input(&op, from);
    put_input(&op, &shape);
    put_int(&op, "axis", 0);
    put_int(&op, "num_axes", -1);
    end_operator(graph, &op, "Reshape", inputs, 2, to);
}

static void put_constants(struct message *graph, const struct instruction *step)
{
    for (int c = 0; c < step->constant_count; c++) {
        const struct constant *constant = &step->constants[c];
        struct result result = constant_result(constant);
        put_const(graph, &result, constant->data, constant->count * sizeof *constant->data);
    }
}

static void put_constant_inputs(struct message *op, const struct instruction *step)
{
    for (int c = 0; c < step->constant_count; c++) {
        struct result constant = constant_result(&step->constants[c]);
        put_input(op, &constant);
    }
}

static void put_norm(struct message *graph, const struct program *program,
                     const struct instruction *step)
{
    static const char *const inputs[] = { "x", "scale", "offset", "mean", "variance" };
    struct message op = { 0 };
    char flat_name[NAME_BYTES], norm_name[NAME_BYTES];
    const struct result from = step_result(program, &program->steps[step->inputs[0]]);
    const struct result full = step_result(program, step);
    struct result flat = full;
    snprintf(flat_name, sizeof flat_name, "%s.flat", step->name);
    snprintf(norm_name, sizeof norm_name, "%s.norm", step->name);
    flat.name = flat_name;
    flat.rank = 4;
    flat.shape[2] *= flat.shape[3];
    flat.shape[3] = flat.shape[4];
    put_reshape(graph, &from, &flat);
    put_input(&op, &flat);
    put_constant_inputs(&op, step);
    put_float(&op, "epsilon", i3d_model_get_options(program->model)->bn_epsilon);
    flat.name = norm_name;
    end_operator(graph, &op, "BNInfer", inputs, 5, &flat);
    put_reshape(graph, &flat, &full);
}

static const char *put_conv(struct message *op, const struct instruction *step)
{
    static const int one[3] = { 1, 1, 1 };
    put_window(op, "strides", step->stride);
    put_pads(op, step);
    put_window(op, "dilations", one);
    put_int(op, "groups", 1);
    put_string(op, "data_format", "NCDHW");
    put_int(op, "offset_x", 0);
    return "Conv3D";
}

static const char *put_pool(struct message *op, const struct instruction *step)
{
    static const int one[3] = { 1, 1, 1 };
    bool max = step->kind == STEP_MAX_POOL;
    put_window(op, "ksize", step->kernel);
    put_window(op, "strides", step->stride);
    put_pads(op, step);
    put_string(op, "data_format", "NCDHW");
    if (max) {
        put_string(op, "padding", "CALCULATED");
        put_window(op, "dilation", one);
        put_int(op, "ceil_mode", 0);
        return "MaxPool3D";
    }
    put_bool(op, "ceil_mode", false);
    put_bool(op, "count_include_pad", true);
    put_int(op, "divisor_override", 0);
    return "AvgPool3D";
}

/* The attributes of a step's operator, and its type. */
static const char *put_attributes(struct message *op, const struct instruction *step)
{
    static const int axes[3] = { 2, 3, 4 };
    switch (step->kind) {
    case STEP_DATA:
        put_int(op, "index", 0);
        return "Data";
    case STEP_CONV:
        return put_conv(op, step);
    case STEP_MAX_POOL:
    case STEP_AVG_POOL:
        return put_pool(op, step);
    case STEP_CONCAT:
        put_int(op, "concat_dim", 1);
        put_int(op, "N", step->input_count);
        return "ConcatD";
    case STEP_MEAN:
        put_ints(op, "axes", 3, axes);
        put_bool(op, "keep_dims", false);
        return "ReduceMeanD";
    default:
        return "Relu";
    }
}

static void put_step(struct message *graph, const struct program *program,
                     const struct instruction *step)
{
    static const char *const inputs[] = { "x", "filter", "bias" };
    static const char *const branches[] = { "x0", "x1", "x2", "x3" };
    struct message op = { 0 };
    struct result result = step_result(program, step);
    put_constants(graph, step);
    if (step->kind == STEP_NORM) {
        put_norm(graph, program, step);
        return;
    }
    for (int i = 0; i < step->input_count; i++) {
        struct result from = step_result(program, &program->steps[step->inputs[i]]);
        put_input(&op, &from);
    }
    put_constant_inputs(&op, step);
    const char *type = put_attributes(&op, step);
    end_operator(graph, &op, type, step->kind == STEP_CONCAT ? branches : inputs,
                 step->input_count + step->constant_count, &result);
}

static void put_note(struct message *model, const char *name, const char *text)
{
    struct message value = { 0 }, entry = { 0 };
    message_text(&value, 2, text);
    message_text(&entry, 1, name);
    message_child(&entry, 2, &value);
    message_child(model, 11, &entry);
}

static void write_air(const struct program *program, struct message *out)
{
    struct message graph = { 0 };
    message_text(&graph, 1, "i3d");
    message_format(&graph, 4, "%s:0", program->steps[0].name);
    message_format(&graph, 5, "%s:0", program->steps[program->count - 1].name);
    for (int i = 0; i < program->count; i++)
        put_step(&graph, program, &program->steps[i]);

    message_text(out, 1, "i3d");
    message_text(out, 3, I3D_VERSION);
    message_child(out, 7, &graph);
    notes_write(program, out, put_note);
}

const struct export_format format_air = { ".air", .write = write_air };
