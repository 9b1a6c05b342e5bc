#include "export/node.h"

#include "base/failure.h"
#include "base/memory.h"
#include "tensor/half.h"
#include "wire/protobuf.h"

static i3d_status too_many(const char *what)
{
    return failure(I3D_EFORMAT, "an operator has more %s than any of ours", what);
}

static struct bytes plain(struct bytes name)
{
    const uint8_t *colon = name.count ? memrchr(name.at, ':', name.count) : NULL;
    struct bytes before;
    if (colon)
        bytes_take(&name, (size_t)(colon - name.at) + 1, &before);
    return name;
}

static i3d_status read_attribute(const struct schema *schema, struct bytes message, bool inside,
                                 struct attribute *out)
{
    struct protobuf_field field;
    uint64_t number;
    i3d_status status;
    while ((status = protobuf_next(&message, &field)) == I3D_OK) {
        bool bytes = field.type == PROTOBUF_BYTES;
        if (field.number == 1 && bytes)
            out->name = field.bytes;
        else if (field.number == 2 && field.type == PROTOBUF_FIXED32)
            out->real = float_from_bits((uint32_t)field.value);
        else if (field.number == schema->text && bytes)
            out->text = field.bytes;
        else if (field.number == schema->values && bytes && !inside)
            TRY(read_attribute(schema, field.bytes, true, out));
        if (field.number != 3 && field.number != schema->ints)
            continue;
        while (protobuf_number(&field, &number)) {
            if (out->count == ATTRIBUTE_NUMBERS)
                return too_many("numbers in an attribute");
            out->ints[out->count++] = (int64_t)number;
        }
    }
out:
    return status == I3D_END ? I3D_OK : status;
}

static i3d_status read_node(const struct schema *schema, struct bytes message, struct node *out)
{
    struct protobuf_field field;
    i3d_status status;
    while ((status = protobuf_next(&message, &field)) == I3D_OK) {
        if (field.type != PROTOBUF_BYTES)
            continue;
        if (field.number == 1 && out->input_count == NODE_INPUTS)
            return too_many("inputs");
        if (field.number == 5 && out->attribute_count == NODE_ATTRIBUTES)
            return too_many("attributes");
        if (field.number == 1)
            out->inputs[out->input_count++] = plain(field.bytes);
        else if (field.number == 2)
            out->output = plain(field.bytes);
        else if (field.number == 4)
            out->type = field.bytes;
        else if (field.number == 5)
            TRY(read_attribute(schema, field.bytes, false,
                               &out->attributes[out->attribute_count++]));
    }
out:
    return status == I3D_END ? I3D_OK : status;
}

/* The first field of this number in a message; nothing if it has none. */
static struct bytes find(struct bytes message, unsigned number)
{
    struct protobuf_field field;
    while (protobuf_next(&message, &field) == I3D_OK)
        if (field.number == number && field.type == PROTOBUF_BYTES)
            return field.bytes;
    return (struct bytes){ 0 };
}

/* ONNX: type { tensor_type { shape { dim { dim_value = 1 } } } }; MINDIR: tensor { dims = 1 }. */
static i3d_status read_shape(const struct schema *schema, struct bytes value, struct node_list *out)
{
    struct bytes shape = find(value, 2);
    struct protobuf_field field;
    i3d_status status;
    if (schema->typed)
        shape = find(find(shape, 1), 2);
    while ((status = protobuf_next(&shape, &field)) == I3D_OK) {
        uint64_t size = 0;
        if (field.number != 1)
            continue;
        if (out->rank == 5)
            return failure(I3D_EFORMAT, "its input has more than 5 sizes");
        if (schema->typed && field.type == PROTOBUF_BYTES) {
            struct bytes dimension = field.bytes;
            struct protobuf_field inner;
            while (protobuf_next(&dimension, &inner) == I3D_OK)
                if (inner.number == 1)
                    size = inner.value;
        } else if (!protobuf_number(&field, &size)) {
            continue;
        }
        out->shape[out->rank++] = (int64_t)size;
    }
    return status == I3D_END ? I3D_OK : status;
}

static i3d_status read_graph(const struct schema *schema, struct bytes message,
                             struct node_list *out)
{
    struct protobuf_field field;
    i3d_status status;
    while ((status = protobuf_next(&message, &field)) == I3D_OK) {
        if (field.type != PROTOBUF_BYTES)
            continue;
        if (field.number == 1) {
            TRY(memory_grow(&out->nodes, &out->capacity, out->count + 1, sizeof *out->nodes));
            out->nodes[out->count] = (struct node){ 0 };
            TRY(read_node(schema, field.bytes, &out->nodes[out->count++]));
        } else if (field.number == schema->graph_input) {
            out->input = plain(find(field.bytes, 1));
            TRY(read_shape(schema, field.bytes, out));
        } else if (field.number == schema->graph_output) {
            out->output = plain(find(field.bytes, 1));
        }
    }
out:
    return status == I3D_END ? I3D_OK : status;
}

i3d_status nodes_read(const struct schema *schema, struct bytes file, struct node_list *out)
{
    *out = (struct node_list){ 0 };
    i3d_status status = read_graph(schema, find(file, 7), out);
    if (status != I3D_OK)
        nodes_clear(out);
    return status;
}

void nodes_clear(struct node_list *list)
{
    memory_free(list->nodes);
    *list = (struct node_list){ 0 };
}

const struct node *nodes_find(const struct node_list *list, struct bytes output)
{
    for (size_t i = 0; i < list->count; i++)
        if (bytes_same(list->nodes[i].output, output))
            return &list->nodes[i];
    return NULL;
}

const struct attribute *node_attribute(const struct node *node, const char *name)
{
    for (int i = 0; i < node->attribute_count; i++)
        if (bytes_equal(node->attributes[i].name, name))
            return &node->attributes[i];
    return NULL;
}

i3d_status node_refuse(const struct node *node, const char *why)
{
    return failure(I3D_EFORMAT, "its operator '%.*s' of type '%.*s' %s", BYTES_TEXT(node->output),
                   BYTES_TEXT(node->type), why);
}
