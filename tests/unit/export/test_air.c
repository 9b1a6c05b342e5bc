/* Nothing here can load an AIR file: its structure is held against the published description
 * (metadef's proto/ge_ir.proto) and against the network. */
#include "small.h"

#include "base/file.h"
#include "wire/protobuf.h"

#include <i3d/export.h>

/* The messages of ge_ir.proto that a file of ours uses. */
enum message { NUMBER, REAL, BYTES, MODEL, GRAPH, OP, ENTRY, ATTR, LIST, DESC, SHAPE, TENSOR };

static const struct {
    enum message message;
    unsigned field;
    enum message type;
} schema[] = {
    { MODEL, 1, BYTES },  { MODEL, 3, BYTES },  { MODEL, 7, GRAPH },  { MODEL, 11, ENTRY },
    { GRAPH, 1, BYTES },  { GRAPH, 4, BYTES },  { GRAPH, 5, BYTES },  { GRAPH, 6, OP },
    { OP, 1, BYTES },     { OP, 2, BYTES },     { OP, 5, BYTES },     { OP, 10, ENTRY },
    { OP, 33, DESC },     { OP, 34, DESC },     { ENTRY, 1, BYTES },  { ENTRY, 2, ATTR },
    { ATTR, 1, LIST },    { ATTR, 2, BYTES },   { ATTR, 3, NUMBER },  { ATTR, 4, REAL },
    { ATTR, 5, NUMBER },  { ATTR, 12, TENSOR }, { LIST, 2, BYTES },   { LIST, 3, NUMBER },
    { LIST, 20, NUMBER }, { DESC, 2, NUMBER },  { DESC, 3, SHAPE },   { DESC, 4, BYTES },
    { SHAPE, 1, NUMBER }, { TENSOR, 1, DESC },  { TENSOR, 2, BYTES },
};
enum { SCHEMA_ROWS = sizeof schema / sizeof schema[0] };

static void check(enum message message, struct bytes content)
{
    static const enum protobuf_type wire[] = {
        [NUMBER] = PROTOBUF_VARINT, [REAL] = PROTOBUF_FIXED32
    };
    struct protobuf_field field;
    i3d_status status;
    while ((status = protobuf_next(&content, &field)) == I3D_OK) {
        int row = 0;
        while (row < SCHEMA_ROWS &&
               (schema[row].message != message || schema[row].field != field.number))
            row++;
        if (row == SCHEMA_ROWS)
            fail_msg("message %d has no field %d", (int)message, (int)field.number);
        enum message type = schema[row].type;
        assert_int_equal(field.type, type <= REAL ? wire[type] : PROTOBUF_BYTES);
        if (type > BYTES)
            check(type, field.bytes);
    }
    assert_int_equal(status, I3D_END);
}

/* The `index`-th field `number` of a message; nothing if there are fewer. */
static struct bytes get(struct bytes message, unsigned number, int index)
{
    struct protobuf_field field;
    while (protobuf_next(&message, &field) == I3D_OK)
        if (field.number == number && index-- == 0)
            return field.bytes;
    return (struct bytes){ 0 };
}

static int count(struct bytes message, unsigned number)
{
    struct protobuf_field field;
    int found = 0;
    while (protobuf_next(&message, &field) == I3D_OK)
        found += field.number == number;
    return found;
}

/* The value of an attribute, an AttrDef. */
static struct bytes attribute(struct bytes message, unsigned number, const char *name)
{
    for (int i = 0; i < count(message, number); i++) {
        struct bytes entry = get(message, number, i);
        if (bytes_equal(get(entry, 1, 0), name))
            return get(entry, 2, 0);
    }
    fail_msg("there is no attribute '%s'", name);
    return (struct bytes){ 0 };
}

static int numbers(struct bytes message, unsigned number, int64_t *out)
{
    struct protobuf_field field;
    int found = 0;
    while (protobuf_next(&message, &field) == I3D_OK)
        if (field.number == number)
            out[found++] = (int64_t)field.value;
    return found;
}

static struct bytes find_op(struct bytes graph, struct bytes name)
{
    for (int i = 0; i < count(graph, 6); i++) {
        struct bytes op = get(graph, 6, i), other = get(op, 1, 0);
        if (other.count == name.count && memcmp(other.at, name.at, name.count) == 0)
            return op;
    }
    fail_msg("there is no operator '%.*s'", (int)name.count, (const char *)name.at);
    return name;
}

static bool same(struct bytes a, struct bytes b)
{
    return a.count == b.count && memcmp(a.at, b.at, a.count) == 0;
}

static const char *const labels[3] = { "walk", "run", "stand" };

/* An exported small network and the file in memory. */
struct file {
    i3d_model *model;
    uint8_t *data;
    struct bytes bytes, graph;
};

static struct file make(bool fold)
{
    struct file file = { .model = small_model(3, I3D_HEAD_AVG) };
    const char *folder = test_folder();
    char *path;
    i3d_export_options options = small_options();
    options.batch = 2;
    options.fold_bn = fold;
    options.labels = labels;
    assert_ok(path_join(&path, folder, "net.air"));
    assert_ok(i3d_export(file.model, &options, path));
    assert_ok(file_read(path, &file.data, &file.bytes.count));
    file.bytes.at = file.data;
    file.graph = get(file.bytes, 7, 0);
    assert_ok(folder_remove(folder));
    memory_free(path);
    return file;
}

static void drop(struct file *file)
{
    memory_free(file->data);
    i3d_model_free(file->model);
}

static void every_field_is_one_of_the_description(void **state)
{
    (void)state;
    for (int fold = 0; fold < 2; fold++) {
        struct file file = make(fold);
        check(MODEL, file.bytes);
        drop(&file);
    }
}

static void every_input_is_described_as_the_operator_that_gives_it(void **state)
{
    (void)state;
    for (int fold = 0; fold < 2; fold++) {
        struct file file = make(fold);
        for (int i = 0; i < count(file.graph, 6); i++) {
            struct bytes op = get(file.graph, 6, i), names;
            assert_int_equal(count(op, 5), count(op, 33));
            assert_int_equal(count(op, 34), 1);
            if (count(op, 5) == 0)
                continue;
            names = get(attribute(op, 10, "_input_name_key"), 1, 0);
            assert_int_equal(count(names, 2), count(op, 5));
            for (int k = 0; k < count(op, 5); k++) {
                struct bytes input = get(op, 5, k), rest = input, name;
                assert_true(input.count > 2 && memcmp(input.at + input.count - 2, ":0", 2) == 0);
                assert_true(bytes_take(&rest, input.count - 2, &name));
                assert_true(same(get(find_op(file.graph, name), 34, 0), get(op, 33, k)));
            }
        }
        assert_true(bytes_equal(get(file.graph, 4, 0), "data:0"));
        assert_true(bytes_equal(get(file.graph, 5, 0), "logits:0"));
        drop(&file);
    }
}

static void constants_hold_the_parameters(void **state)
{
    (void)state;
    struct file file = make(false);
    for (size_t p = 0; p < i3d_model_param_count(file.model); p++) {
        const i3d_param *param = &file.model->params[p];
        int64_t shape[8];
        const char *called = small_name(param);
        struct bytes name = { (const uint8_t *)called, strlen(called) };
        struct bytes op = find_op(file.graph, name);
        struct bytes tensor = get(attribute(op, 10, "value"), 12, 0);
        struct bytes data = get(tensor, 2, 0);
        assert_true(bytes_equal(get(op, 2, 0), "Const"));
        assert_int_equal(numbers(get(get(tensor, 1, 0), 3, 0), 1, shape), param->rank);
        assert_memory_equal(shape, param->shape, (size_t)param->rank * sizeof *shape);
        assert_int_equal(data.count, param->count * sizeof(float));
        assert_memory_equal(data.at, file.model->data + param->offset, data.count);
    }
    drop(&file);
}

static void convolutions_give_the_shapes_they_claim(void **state)
{
    (void)state;
    struct file file = make(true);
    int convs = 0;
    for (int i = 0; i < count(file.graph, 6); i++) {
        struct bytes op = get(file.graph, 6, i);
        int64_t in[5], filter[5], out[5], strides[5], pads[6];
        if (!bytes_equal(get(op, 2, 0), "Conv3D"))
            continue;
        convs++;
        assert_int_equal(numbers(get(get(op, 33, 0), 3, 0), 1, in), 5);
        assert_int_equal(numbers(get(get(op, 33, 1), 3, 0), 1, filter), 5);
        assert_int_equal(numbers(get(get(op, 34, 0), 3, 0), 1, out), 5);
        assert_int_equal(numbers(get(attribute(op, 10, "strides"), 1, 0), 3, strides), 5);
        assert_int_equal(numbers(get(attribute(op, 10, "pads"), 1, 0), 3, pads), 6);
        assert_int_equal(out[0], 2);
        assert_int_equal(out[1], filter[0]);
        assert_int_equal(in[1], filter[1]);
        for (int d = 0; d < 3; d++)
            assert_int_equal(
                out[2 + d],
                (in[2 + d] + pads[2 * d] + pads[2 * d + 1] - filter[2 + d]) / strides[2 + d] + 1);
    }
    assert_int_equal(convs, 1 + 6 + 1);
    drop(&file);
}

static void the_preprocessing_is_told(void **state)
{
    (void)state;
    struct file file = make(false);
    assert_true(bytes_equal(get(attribute(file.bytes, 11, "i3d.stream"), 2, 0), "rgb"));
    assert_true(bytes_equal(get(attribute(file.bytes, 11, "i3d.frames"), 2, 0), "9"));
    assert_true(bytes_equal(get(attribute(file.bytes, 11, "i3d.head"), 2, 0), "avg"));
    assert_true(
        bytes_equal(get(attribute(file.bytes, 11, "i3d.labels"), 2, 0), "walk\nrun\nstand"));
    drop(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_one_of_the_description),
        cmocka_unit_test(every_input_is_described_as_the_operator_that_gives_it),
        cmocka_unit_test(constants_hold_the_parameters),
        cmocka_unit_test(convolutions_give_the_shapes_they_claim),
        cmocka_unit_test(the_preprocessing_is_told),
    };
    return cmocka_run_group_tests_name("the structure of AIR files", tests, NULL, NULL);
}
