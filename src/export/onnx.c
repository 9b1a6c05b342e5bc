/* ONNX (onnx/onnx.proto of github.com/onnx/onnx), operators of opset 17:
 *
 *     ModelProto { ir_version = 1; producer_name = 2; producer_version = 3; graph = 7;
 *                  opset_import = 8; metadata_props = 14; }
 *     GraphProto { node = 1; name = 2; initializer = 5; input = 11; output = 12; }
 *     NodeProto { input = 1; output = 2; name = 3; op_type = 4; attribute = 5; }
 *     AttributeProto { name = 1; f = 2; i = 3; s = 4; ints = 8; type = 20; }
 *     TensorProto { dims = 1; data_type = 2; name = 8; raw_data = 9; }
 *     ValueInfoProto { name = 1; type = 2; }
 *     TypeProto { tensor_type = 1 { elem_type = 1; shape = 2 { dim = 1 { dim_value = 1;
 *                                                                        dim_param = 2; } } } }
 */
#include "export/format.h"

#include <i3d/version.h>

enum { IR_VERSION = 8, OPSET = 17, TYPE_FLOAT = 1 };
enum { ATTRIBUTE_FLOAT = 1, ATTRIBUTE_INT = 2, ATTRIBUTE_STRING = 3, ATTRIBUTE_INTS = 7 };

static void put_attribute(struct message *node, const char *name, int type,
                          struct message *attribute)
{
    message_text(attribute, 1, name);
    message_number(attribute, 20, type);
    message_child(node, 5, attribute);
}

static void put_float(struct message *node, const char *name, double value)
{
    struct message attribute = { 0 };
    message_float(&attribute, 2, (float)value);
    put_attribute(node, name, ATTRIBUTE_FLOAT, &attribute);
}

static void put_int(struct message *node, const char *name, int value)
{
    struct message attribute = { 0 };
    message_number(&attribute, 3, value);
    put_attribute(node, name, ATTRIBUTE_INT, &attribute);
}

static void put_string(struct message *node, const char *name, const char *value)
{
    struct message attribute = { 0 };
    message_text(&attribute, 4, value);
    put_attribute(node, name, ATTRIBUTE_STRING, &attribute);
}

static void put_ints(struct message *node, const char *name, int count, const int *values)
{
    struct message attribute = { 0 };
    for (int i = 0; i < count; i++)
        message_number(&attribute, 8, values[i]);
    put_attribute(node, name, ATTRIBUTE_INTS, &attribute);
}

/* The odd element of padding is at the back, which is what ONNX calls SAME_UPPER; where T is open
 * only that can say it. */
static void put_window(const struct program *program, const struct instruction *step,
                       struct message *node)
{
    const int pads[6] = { step->front[0], step->front[1], step->front[2],
                          step->back[0],  step->back[1],  step->back[2] };
    put_ints(node, "kernel_shape", 3, step->kernel);
    put_ints(node, "strides", 3, step->stride);
    if (program->options.any_frames && step->kind != STEP_AVG_POOL)
        put_string(node, "auto_pad", "SAME_UPPER");
    else
        put_ints(node, "pads", 6, pads);
}

static const char *put_operator(const struct program *program, const struct instruction *step,
                                struct message *node)
{
    static const int all[3] = { 2, 3, 4 };
    switch (step->kind) {
    case STEP_CONV:
        put_window(program, step, node);
        return "Conv";
    case STEP_NORM:
        put_float(node, "epsilon", i3d_model_get_options(program->model)->bn_epsilon);
        return "BatchNormalization";
    case STEP_MAX_POOL:
        if (step->whole)
            return "GlobalMaxPool";
        put_window(program, step, node);
        return "MaxPool";
    case STEP_AVG_POOL:
        put_window(program, step, node);
        return "AveragePool";
    case STEP_CONCAT:
        put_int(node, "axis", 1);
        return "Concat";
    case STEP_MEAN:
        put_ints(node, "axes", 3, all);
        put_int(node, "keepdims", 0);
        return "ReduceMean";
    default:
        return "Relu";
    }
}

static void put_node(const struct program *program, const struct instruction *step,
                     struct message *graph)
{
    struct message node = { 0 };
    for (int i = 0; i < step->input_count; i++)
        message_text(&node, 1, program->steps[step->inputs[i]].name);
    for (int c = 0; c < step->constant_count; c++)
        message_text(&node, 1, step->constants[c].name);
    message_text(&node, 2, step->name);
    message_text(&node, 3, step->name);
    message_text(&node, 4, put_operator(program, step, &node));
    message_child(graph, 1, &node);
}

static void put_initializer(const struct constant *constant, struct message *graph)
{
    struct message tensor = { 0 };
    for (int i = 0; i < constant->rank; i++)
        message_number(&tensor, 1, constant->shape[i]);
    message_number(&tensor, 2, TYPE_FLOAT);
    message_text(&tensor, 8, constant->name);
    message_bytes(&tensor, 9, constant->data, constant->count * sizeof *constant->data);
    message_child(graph, 5, &tensor);
}

/* A dimension of 0 is an open one, called `open`. */
static void put_dimension(struct message *shape, int size, const char *open)
{
    struct message dimension = { 0 };
    if (size)
        message_number(&dimension, 1, size);
    else
        message_text(&dimension, 2, open);
    message_child(shape, 1, &dimension);
}

/* Declares a step's value as an input or an output of the graph. */
static void put_value(const struct program *program, const struct instruction *step, unsigned field,
                      struct message *graph)
{
    struct message shape = { 0 }, tensor = { 0 }, type = { 0 }, value = { 0 };
    put_dimension(&shape, program->options.batch, "N");
    put_dimension(&shape, step->channels, NULL);
    for (int d = 0; d < 3 && step->kind == STEP_DATA; d++)
        put_dimension(&shape, d == 0 && program->options.any_frames ? 0 : step->size[d], "T");
    message_number(&tensor, 1, TYPE_FLOAT);
    message_child(&tensor, 2, &shape);
    message_child(&type, 1, &tensor);
    message_text(&value, 1, step->name);
    message_child(&value, 2, &type);
    message_child(graph, field, &value);
}

static void put_metadata(struct message *model, const char *name, const char *text)
{
    note_message(model, 14, name, text);
}

static void write_onnx(const struct program *program, struct message *out)
{
    struct message graph = { 0 }, opset = { 0 };
    for (int i = 1; i < program->count; i++)
        put_node(program, &program->steps[i], &graph);
    message_text(&graph, 2, "i3d");
    for (int i = 1; i < program->count; i++)
        for (int c = 0; c < program->steps[i].constant_count; c++)
            put_initializer(&program->steps[i].constants[c], &graph);
    put_value(program, &program->steps[0], 11, &graph);
    put_value(program, &program->steps[program->count - 1], 12, &graph);

    message_number(out, 1, IR_VERSION);
    message_text(out, 2, "i3d");
    message_text(out, 3, I3D_VERSION);
    message_child(out, 7, &graph);
    message_text(&opset, 1, "");
    message_number(&opset, 2, OPSET);
    message_child(out, 8, &opset);
    notes_write(program, out, put_metadata);
}

const struct schema schema_onnx = {
    .graph_input = 11, .graph_output = 12, .text = 4, .ints = 8, .typed = true
};

const struct export_format format_onnx = { ".onnx", .any_size = true, .schema = &schema_onnx,
                                           .write = write_onnx };
