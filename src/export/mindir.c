/* MindSpore's MINDIR (mindspore/core/proto/mind_ir.proto), operators with their attributes in the
 * node as MindSpore 1.x writes them and later ones still read:
 *
 *     ModelProto { ir_version = 1; producer_name = 2; model_version = 5; graph = 7;
 *                  little_endian = 10; user_info = 14; }
 *     GraphProto { node = 1; name = 2; parameter = 3; input = 5; output = 6; }
 *     NodeProto { input = 1; output = 2; name = 3; op_type = 4; attribute = 5; }
 *     AttributeProto { name = 1; f = 2; i = 3; s = 5; ints = 10; type = 16; values = 17; }
 *     TensorProto { dims = 1; data_type = 2; name = 7; raw_data = 9; }
 *     ValueInfoProto { name = 1; tensor = 2; }
 *
 * Names of parameters and values begin with the graph's. Batch norms are of two dimensions, as in
 * the original: their maps are reshaped to [N, C, t h, w] and back. */
#include "export/format.h"

#include <i3d/version.h>

#include <stdio.h>

enum { TYPE_FLOAT = 1 };
enum { ATTRIBUTE_FLOAT = 1, ATTRIBUTE_INT64 = 7, ATTRIBUTE_STRING = 8, ATTRIBUTE_BOOL = 9 };
enum { ATTRIBUTE_TUPLE = 20, NAME_BYTES = 96 };

static void put_attribute(struct message *node, const char *name, int type,
                          struct message *attribute)
{
    message_text(attribute, 1, name);
    message_number(attribute, 16, type);
    message_child(node, 5, attribute);
}

static void put_float(struct message *node, const char *name, double value)
{
    struct message attribute = { 0 };
    message_float(&attribute, 2, (float)value);
    put_attribute(node, name, ATTRIBUTE_FLOAT, &attribute);
}

static void put_number(struct message *node, const char *name, int type, int value)
{
    struct message attribute = { 0 };
    message_number(&attribute, 3, value);
    put_attribute(node, name, type, &attribute);
}

static void put_string(struct message *node, const char *name, const char *value)
{
    struct message attribute = { 0 };
    message_text(&attribute, 5, value);
    put_attribute(node, name, ATTRIBUTE_STRING, &attribute);
}

static void put_tuple(struct message *node, const char *name, int count, const int *values)
{
    struct message attribute = { 0 };
    for (int i = 0; i < count; i++) {
        struct message value = { 0 };
        message_number(&value, 10, values[i]);
        message_number(&value, 16, ATTRIBUTE_INT64);
        message_child(&attribute, 17, &value);
    }
    put_attribute(node, name, ATTRIBUTE_TUPLE, &attribute);
}

/* [1, 1, t, h, w]: windows have an entry for batch and channels too. */
static void put_tuple5(struct message *node, const char *name, const int values[3])
{
    const int all[5] = { 1, 1, values[0], values[1], values[2] };
    put_tuple(node, name, 5, all);
}

static void put_pads(struct message *node, const char *name, const struct instruction *step)
{
    const int pads[6] = { step->front[0], step->back[0],  step->front[1],
                          step->back[1],  step->front[2], step->back[2] };
    put_tuple(node, name, 6, pads);
}

static void end_node(struct message *graph, struct message *node, const char *name,
                     const char *type)
{
    message_format(node, 2, "i3d:%s", name);
    message_format(node, 3, "i3d:%s", name);
    message_text(node, 4, type);
    message_child(graph, 1, node);
}

/* A constant, whose value is an attribute of `node`. What reads it calls it by this name, without
 * the graph's. */
static void end_constant(struct message *graph, struct message *node, const char *name)
{
    message_text(node, 2, name);
    message_text(node, 3, name);
    message_text(node, 4, "Constant");
    message_child(graph, 1, node);
}

static void put_constant(struct message *graph, const char *name, int count, const int *values)
{
    struct message node = { 0 };
    put_tuple(&node, "value", count, values);
    end_constant(graph, &node, name);
}

static void put_reshape(struct message *graph, const char *input, const char *output, int rank,
                        const int *shape)
{
    struct message node = { 0 };
    char constant[NAME_BYTES];
    snprintf(constant, sizeof constant, "%s.shape", output);
    put_constant(graph, constant, rank, shape);
    message_format(&node, 1, "i3d:%s", input);
    message_text(&node, 1, constant);
    end_node(graph, &node, output, "Reshape");
}

static void put_conv(struct message *graph, const struct instruction *step, const char *input)
{
    static const int one[3] = { 1, 1, 1 };
    struct message conv = { 0 }, bias = { 0 };
    char sum[NAME_BYTES];
    bool biased = step->constant_count == 2;
    snprintf(sum, sizeof sum, "%s%s", step->name, biased ? ".sum" : "");
    message_format(&conv, 1, "i3d:%s", input);
    message_format(&conv, 1, "i3d:%s", step->constants[0].name);
    put_number(&conv, "out_channel", ATTRIBUTE_INT64, step->channels);
    put_tuple(&conv, "kernel_size", 3, step->kernel);
    put_number(&conv, "mode", ATTRIBUTE_INT64, 1);
    put_string(&conv, "pad_mode", "pad");
    put_pads(&conv, "pad", step);
    put_pads(&conv, "pad_list", step);
    put_tuple5(&conv, "strides", step->stride);
    put_tuple5(&conv, "dilations", one);
    put_number(&conv, "groups", ATTRIBUTE_INT64, 1);
    put_number(&conv, "group", ATTRIBUTE_INT64, 1);
    put_number(&conv, "offset_x", ATTRIBUTE_INT64, 0);
    put_string(&conv, "format", "NCDHW");
    end_node(graph, &conv, sum, "Conv3D");
    if (!biased)
        return;
    message_format(&bias, 1, "i3d:%s", sum);
    message_format(&bias, 1, "i3d:%s", step->constants[1].name);
    put_string(&bias, "format", "NCDHW");
    end_node(graph, &bias, step->name, "BiasAdd");
}

static void put_norm(struct message *graph, const struct program *program,
                     const struct instruction *step, const char *input)
{
    const int *size = step->size, batch = program->options.batch;
    const int flat[4] = { batch, step->channels, size[0] * size[1], size[2] };
    const int full[5] = { batch, step->channels, size[0], size[1], size[2] };
    struct message norm = { 0 }, item = { 0 };
    char before[NAME_BYTES], all[NAME_BYTES], first[NAME_BYTES];
    snprintf(before, sizeof before, "%s.flat", step->name);
    snprintf(all, sizeof all, "%s.all", step->name);
    snprintf(first, sizeof first, "%s.first", step->name);
    put_reshape(graph, input, before, 4, flat);
    message_format(&norm, 1, "i3d:%s", before);
    for (int c = 0; c < step->constant_count; c++)
        message_format(&norm, 1, "i3d:%s", step->constants[c].name);
    put_number(&norm, "is_training", ATTRIBUTE_BOOL, 0);
    put_float(&norm, "epsilon", i3d_model_get_options(program->model)->bn_epsilon);
    put_float(&norm, "momentum", .1);
    put_string(&norm, "format", "NCHW");
    end_node(graph, &norm, all, "BatchNorm");
    message_format(&item, 1, "i3d:%s", all);
    message_text(&item, 1, "first");
    end_node(graph, &item, first, "TupleGetItem");
    put_reshape(graph, first, step->name, 5, full);
}

static void put_pool(struct message *graph, const struct instruction *step, const char *input)
{
    struct message node = { 0 };
    bool max = step->kind == STEP_MAX_POOL;
    message_format(&node, 1, "i3d:%s", input);
    put_tuple5(&node, "kernel_size", step->kernel);
    put_tuple5(&node, "strides", step->stride);
    put_string(&node, "pad_mode", "CALCULATED");
    put_pads(&node, "pad_list", step);
    put_number(&node, "ceil_mode", max ? ATTRIBUTE_INT64 : ATTRIBUTE_BOOL, 0);
    put_string(&node, "format", "NCDHW");
    if (!max) {
        put_number(&node, "count_include_pad", ATTRIBUTE_BOOL, 1);
        put_number(&node, "divisor_override", ATTRIBUTE_INT64, 0);
    }
    end_node(graph, &node, step->name, max ? "MaxPool3D" : "AvgPool3D");
}

static void put_concat(struct message *graph, const struct program *program,
                       const struct instruction *step)
{
    struct message tuple = { 0 }, concat = { 0 };
    char parts[NAME_BYTES];
    snprintf(parts, sizeof parts, "%s.parts", step->name);
    for (int i = 0; i < step->input_count; i++)
        message_format(&tuple, 1, "i3d:%s", program->steps[step->inputs[i]].name);
    end_node(graph, &tuple, parts, "MakeTuple");
    message_format(&concat, 1, "i3d:%s", parts);
    put_number(&concat, "axis", ATTRIBUTE_INT64, 1);
    end_node(graph, &concat, step->name, "Concat");
}

static void put_relu(struct message *graph, const struct instruction *step, const char *input)
{
    struct message node = { 0 };
    message_format(&node, 1, "i3d:%s", input);
    end_node(graph, &node, step->name, "ReLU");
}

static void put_mean(struct message *graph, const struct instruction *step, const char *input)
{
    static const int axes[3] = { 2, 3, 4 };
    struct message node = { 0 };
    put_constant(graph, "axes", 3, axes);
    message_format(&node, 1, "i3d:%s", input);
    message_text(&node, 1, "axes");
    put_number(&node, "keep_dims", ATTRIBUTE_BOOL, 0);
    end_node(graph, &node, step->name, "ReduceMean");
}

static void put_step(struct message *graph, const struct program *program,
                     const struct instruction *step)
{
    const char *input = program->steps[step->inputs[0]].name;
    switch (step->kind) {
    case STEP_DATA:
        break;
    case STEP_CONV:
        put_conv(graph, step, input);
        break;
    case STEP_NORM:
        put_norm(graph, program, step, input);
        break;
    case STEP_RELU:
        put_relu(graph, step, input);
        break;
    case STEP_MAX_POOL:
    case STEP_AVG_POOL:
        put_pool(graph, step, input);
        break;
    case STEP_CONCAT:
        put_concat(graph, program, step);
        break;
    case STEP_MEAN:
        put_mean(graph, step, input);
        break;
    }
}

static void put_parameter(struct message *graph, const struct constant *constant)
{
    struct message tensor = { 0 };
    for (int i = 0; i < constant->rank; i++)
        message_number(&tensor, 1, constant->shape[i]);
    message_number(&tensor, 2, TYPE_FLOAT);
    message_format(&tensor, 7, "i3d:%s", constant->name);
    message_bytes(&tensor, 9, constant->data, constant->count * sizeof *constant->data);
    message_child(graph, 3, &tensor);
}

/* Declares a step's value as an input or an output of the graph. */
static void put_value(struct message *graph, const struct program *program,
                      const struct instruction *step, unsigned field)
{
    struct message tensor = { 0 }, value = { 0 };
    message_number(&tensor, 1, program->options.batch);
    message_number(&tensor, 1, step->channels);
    for (int d = 0; d < 3 && step->kind == STEP_DATA; d++)
        message_number(&tensor, 1, step->size[d]);
    message_number(&tensor, 2, TYPE_FLOAT);
    message_format(&value, 1, "i3d:%s", step->name);
    message_child(&value, 2, &tensor);
    message_child(graph, field, &value);
}

static void put_user_info(struct message *model, const char *name, const char *text)
{
    note_message(model, 14, name, text);
}

static void write_mindir(const struct program *program, struct message *out)
{
    struct message graph = { 0 }, first = { 0 };
    put_number(&first, "value", ATTRIBUTE_INT64, 0);
    end_constant(&graph, &first, "first");
    for (int i = 1; i < program->count; i++)
        put_step(&graph, program, &program->steps[i]);
    message_text(&graph, 2, "i3d");
    for (int i = 1; i < program->count; i++)
        for (int c = 0; c < program->steps[i].constant_count; c++)
            put_parameter(&graph, &program->steps[i].constants[c]);
    put_value(&graph, program, &program->steps[0], 5);
    put_value(&graph, program, &program->steps[program->count - 1], 6);

    message_text(out, 1, "0.1.1");
    message_text(out, 2, "i3d");
    message_text(out, 5, I3D_VERSION);
    message_child(out, 7, &graph);
    message_number(out, 10, 1);
    notes_write(program, out, put_user_info);
}

const struct schema schema_mindir = {
    .graph_input = 5, .graph_output = 6, .text = 5, .ints = 10, .values = 17
};

const struct export_format format_mindir = { ".mindir", .schema = &schema_mindir,
                                             .write = write_mindir };
