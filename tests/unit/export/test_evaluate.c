/* A graph's operators run one by one: tests/golden/export/make.py made it, and ran it in ONNX
 * Runtime. */
#include "test.h"

#include "base/file.h"
#include "base/memory.h"
#include "export/evaluate.h"

#include <math.h>

enum { FLOATS = 2 * 4 * 6 * 6, CLASSES = 3 };
static const int64_t shape[4] = { 2, 4, 6, 6 };

struct golden {
    uint8_t *file, *floats;
    size_t count;
    i3d_weights weights;
    struct node_list nodes;
};

static void open_golden(struct golden *golden)
{
    size_t bytes;
    assert_ok(file_read(I3D_GOLDEN "/export/graph.onnx", &golden->file, &golden->count));
    assert_ok(file_read(I3D_GOLDEN "/export/graph.f32", &golden->floats, &bytes));
    assert_int_equal(bytes, (FLOATS + CLASSES) * sizeof(float));
    assert_ok(i3d_weights_read(I3D_GOLDEN "/export/graph.onnx", &golden->weights));
    assert_ok(
        nodes_read(&schema_onnx, (struct bytes){ golden->file, golden->count }, &golden->nodes));
}

static void close_golden(struct golden *golden)
{
    nodes_clear(&golden->nodes);
    i3d_weights_clear(&golden->weights);
    memory_free(golden->floats);
    memory_free(golden->file);
}

static i3d_status evaluate(struct golden *golden, float *out)
{
    float floats[FLOATS + CLASSES];
    memcpy(floats, golden->floats, sizeof floats);
    return nodes_evaluate(&golden->nodes, &golden->weights, shape, floats, CLASSES, out);
}

static void every_operator_gives_what_onnx_runtime_gives(void **state)
{
    (void)state;
    struct golden golden;
    float out[CLASSES], expected[FLOATS + CLASSES];
    open_golden(&golden);
    memcpy(expected, golden.floats, sizeof expected);
    assert_ok(evaluate(&golden, out));
    for (int c = 0; c < CLASSES; c++)
        assert_true(fabsf(out[c] - expected[FLOATS + c]) < 1e-5f);
    close_golden(&golden);
}

/* The node of the golden graph that gives this value. */
static struct node *node_of(struct golden *golden, const char *output)
{
    const struct node *node = nodes_find(&golden->nodes, bytes_of(output));
    assert_non_null(node);
    return (struct node *)node;
}

static struct attribute *attribute_of(struct golden *golden, const char *output, const char *name)
{
    const struct attribute *attribute = node_attribute(node_of(golden, output), name);
    assert_non_null(attribute);
    return (struct attribute *)attribute;
}

static void assert_refused(struct golden *golden, const char *words)
{
    float out[CLASSES];
    assert_fails(evaluate(golden, out), I3D_EFORMAT, words);
    close_golden(golden);
    open_golden(golden);
}

static void what_is_not_as_ours_is_refused_by_its_name(void **state)
{
    (void)state;
    struct golden golden;
    open_golden(&golden);
    node_of(&golden, "relu")->type = bytes_of("Sigmoid");
    assert_refused(&golden, "its operator 'relu' of type 'Sigmoid' is not known here");
    node_of(&golden, "concat")->inputs[1] = bytes_of("nowhere");
    assert_refused(&golden, "'concat' of type 'Concat' reads a value that nothing before it gives");
    attribute_of(&golden, "concat", "axis")->ints[0] = 2;
    assert_refused(&golden, "is not along the channels");
    attribute_of(&golden, "logits", "keepdims")->ints[0] = 1;
    assert_refused(&golden, "is not a mean over t, h and w");
    attribute_of(&golden, "conv", "strides")->ints[0] = 0;
    assert_refused(&golden, "has a window that none of ours has");
    attribute_of(&golden, "mean_pool", "kernel_shape")->ints[0] = 5;
    assert_refused(&golden, "has a window larger than its map");
    attribute_of(&golden, "mean_pool", "pads")->ints[0] = 1;
    assert_refused(&golden, "has padding, which no mean of ours has");
    attribute_of(&golden, "uneven", "strides")->ints[1] = 2;
    assert_refused(&golden, "has parts of different sizes");
    node_of(&golden, "norm")->attribute_count = 0;
    assert_refused(&golden, "has no epsilon");
    node_of(&golden, "norm")->inputs[3] = bytes_of("second.bias");
    assert_refused(&golden, "lacks a weight, or has one of another shape");
    node_of(&golden, "second")->inputs[1] = bytes_of("first.weight");
    assert_refused(&golden, "has a weight of another shape than its window");
    golden.nodes.output = bytes_of("concat");
    assert_refused(&golden, "its output has 360 numbers a clip, not 3");
    golden.nodes.shape[2] = 5;
    assert_refused(&golden, "its input has a size of 5, not 4");
    close_golden(&golden);
}

static void a_damaged_graph_is_an_error(void **state)
{
    (void)state;
    struct golden golden;
    struct node_list nodes;
    int refused = 0;
    open_golden(&golden);
    for (size_t i = 0; i < golden.count; i++) {
        golden.file[i] ^= 0x80;
        if (nodes_read(&schema_onnx, (struct bytes){ golden.file, golden.count }, &nodes) == I3D_OK)
            nodes_clear(&nodes);
        else
            refused++;
        golden.file[i] ^= 0x80;
    }
    assert_true(refused > 10);
    close_golden(&golden);
}

static void running_out_of_memory_is_an_error_at_every_request(void **state)
{
    (void)state;
    struct golden golden;
    float out[CLASSES];
    i3d_status status = I3D_ENOMEM;
    long n = 0;
    open_golden(&golden);
    while (status != I3D_OK) {
        memory_fail_at(++n);
        status = evaluate(&golden, out);
        memory_fail_at(0);
        assert_true(status == I3D_OK || status == I3D_ENOMEM);
    }
    assert_true(n > 10);
    close_golden(&golden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operator_gives_what_onnx_runtime_gives),
        cmocka_unit_test(what_is_not_as_ours_is_refused_by_its_name),
        cmocka_unit_test(a_damaged_graph_is_an_error),
        cmocka_unit_test(running_out_of_memory_is_an_error_at_every_request),
    };
    return cmocka_run_group_tests_name("operators of a file", tests, NULL, NULL);
}
