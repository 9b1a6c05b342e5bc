/* The unrolled network against the published table of I3D's shapes. */
#include "test.h"

#include "model/graph.h"
#include "model/model.h"

static i3d_model *make(i3d_head head)
{
    i3d_model *model;
    assert_ok(i3d_model_create(
        &(i3d_model_options){ .channels = 3, .classes = 400, .head = head, .bn_epsilon = 1e-3 },
        &model));
    return model;
}

static struct graph unroll(i3d_head head, int t, int h, int w)
{
    i3d_model *model = make(head);
    struct graph graph;
    assert_ok(graph_create(model, t, h, w, &graph));
    i3d_model_free(model);
    return graph;
}

static const struct value *find_value(const struct graph *graph, const char *name)
{
    for (int i = 0; i < graph->value_count; i++)
        if (strcmp(graph->values[i].name, name) == 0)
            return &graph->values[i];
    fail_msg("no value '%s'", name);
    return NULL;
}

static const struct op *find_op(const struct graph *graph, const char *name)
{
    for (int i = 0; i < graph->op_count; i++)
        if (strcmp(graph->ops[i].name, name) == 0)
            return &graph->ops[i];
    fail_msg("no operation '%s'", name);
    return NULL;
}

static void has_the_shapes_of_the_paper(void **state)
{
    (void)state;
    static const struct value expected[] = {
        { "data", 3, 64, 224, 224 },
        { "Conv3d_1a_7x7", 64, 32, 112, 112 },
        { "MaxPool3d_2a_3x3", 64, 32, 56, 56 },
        { "Conv3d_2b_1x1", 64, 32, 56, 56 },
        { "Conv3d_2c_3x3", 192, 32, 56, 56 },
        { "MaxPool3d_3a_3x3", 192, 32, 28, 28 },
        { "Mixed_3b", 256, 32, 28, 28 },
        { "Mixed_3b_b1a", 96, 32, 28, 28 },
        { "Mixed_3b_b2a", 16, 32, 28, 28 },
        { "Mixed_3b_b3a", 192, 32, 28, 28 },
        { "Mixed_3c", 480, 32, 28, 28 },
        { "MaxPool3d_4a_3x3", 480, 16, 14, 14 },
        { "Mixed_4b", 512, 16, 14, 14 },
        { "Mixed_4c", 512, 16, 14, 14 },
        { "Mixed_4d", 512, 16, 14, 14 },
        { "Mixed_4e", 528, 16, 14, 14 },
        { "Mixed_4f", 832, 16, 14, 14 },
        { "MaxPool3d_5a_2x2", 832, 8, 7, 7 },
        { "Mixed_5b", 832, 8, 7, 7 },
        { "Mixed_5c", 1024, 8, 7, 7 },
        { "features", 1024, 7, 1, 1 },
    };
    struct graph graph = unroll(I3D_HEAD_AVG, 64, 224, 224);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const struct value *value = find_value(&graph, expected[i].name);
        assert_int_equal(value->channels, expected[i].channels);
        assert_int_equal(value->t, expected[i].t);
        assert_int_equal(value->h, expected[i].h);
        assert_int_equal(value->w, expected[i].w);
    }
    assert_int_equal(graph.op_count, 3 + 4 + 9 * 7 + 1);
    assert_int_equal(graph_output_floats(&graph), 400);
}

static void pads_as_tensorflow_does(void **state)
{
    (void)state;
    struct graph graph = unroll(I3D_HEAD_AVG, 64, 224, 224);
    const struct op *stem = find_op(&graph, "Conv3d_1a_7x7");
    assert_memory_equal(stem->front, ((int[]){ 2, 2, 2 }), sizeof stem->front);
    assert_memory_equal(stem->back, ((int[]){ 3, 3, 3 }), sizeof stem->back);
    const struct op *pool = find_op(&graph, "MaxPool3d_2a_3x3");
    assert_memory_equal(pool->front, ((int[]){ 0, 0, 0 }), sizeof pool->front);
    assert_memory_equal(pool->back, ((int[]){ 0, 1, 1 }), sizeof pool->back);
    /* Odd sizes shift the padding: 33 = 2 * 16 + 1 gives 17 outputs of 7 that want 39. */
    graph = unroll(I3D_HEAD_AVG, 9, 33, 34);
    stem = find_op(&graph, "Conv3d_1a_7x7");
    assert_memory_equal(stem->front, ((int[]){ 3, 3, 2 }), sizeof stem->front);
    assert_memory_equal(stem->back, ((int[]){ 3, 3, 3 }), sizeof stem->back);
    assert_memory_equal(stem->size_out, ((int[]){ 5, 17, 17 }), sizeof stem->size_out);
}

static void branches_write_side_by_side(void **state)
{
    (void)state;
    struct graph graph = unroll(I3D_HEAD_AVG, 16, 64, 64);
    static const struct {
        const char *name;
        int begin, channels;
    } branches[] = { { "Mixed_4e_b0", 0, 112 },
                     { "Mixed_4e_b1b", 112, 288 },
                     { "Mixed_4e_b2b", 400, 64 },
                     { "Mixed_4e_b3b", 464, 64 } };
    for (int i = 0; i < 4; i++) {
        const struct op *op = find_op(&graph, branches[i].name);
        assert_string_equal(graph.values[op->out].name, "Mixed_4e");
        assert_int_equal(op->out_channel, branches[i].begin);
        assert_int_equal(op->channels, branches[i].channels);
    }
}

static void comes_in_execution_order(void **state)
{
    (void)state;
    struct graph graph = unroll(I3D_HEAD_MAX, 8, 32, 32);
    int written[GRAPH_VALUES_MAX] = { [0] = 3 };
    for (int i = 0; i < graph.op_count; i++) {
        const struct op *op = &graph.ops[i];
        assert_int_equal(written[op->in], graph.values[op->in].channels);
        assert_int_equal(written[op->out], op->out_channel);
        written[op->out] += op->channels;
    }
}

static void finds_the_parameters_of_each_operation(void **state)
{
    (void)state;
    i3d_model *model = make(I3D_HEAD_AVG);
    struct graph graph;
    assert_ok(graph_create(model, 8, 32, 32, &graph));
    for (int i = 0; i < graph.op_count; i++) {
        const struct op *op = &graph.ops[i];
        if (op->kind == OP_POOL) {
            assert_null(graph_param(&graph, op, I3D_PARAM_WEIGHT));
            continue;
        }
        const i3d_param *weight = graph_param(&graph, op, I3D_PARAM_WEIGHT);
        assert_non_null(graph_param(&graph, op, op->norm ? I3D_PARAM_VARIANCE : I3D_PARAM_BIAS));
        assert_null(graph_param(&graph, op, op->norm ? I3D_PARAM_BIAS : I3D_PARAM_VARIANCE));
        assert_int_equal(strncmp(weight->name, op->name, strlen(op->name)), 0);
        assert_int_equal(weight->role, I3D_PARAM_WEIGHT);
        assert_int_equal(weight->shape[1], op->in_channels);
    }
    i3d_model_free(model);
}

static void the_average_takes_two_frames_and_the_maximum_all(void **state)
{
    (void)state;
    struct graph graph = unroll(I3D_HEAD_AVG, 64, 256, 200);
    assert_memory_equal(find_op(&graph, "logits")->kernel, ((int[]){ 2, 8, 7 }), 3 * sizeof(int));
    graph = unroll(I3D_HEAD_AVG, 8, 32, 32);
    assert_int_equal(find_op(&graph, "logits")->kernel[0], 1);
    assert_int_equal(find_value(&graph, "features")->t, 1);
    graph = unroll(I3D_HEAD_MAX, 64, 224, 224);
    assert_memory_equal(find_op(&graph, "logits")->kernel, ((int[]){ 8, 7, 7 }), 3 * sizeof(int));
    assert_int_equal(find_value(&graph, "features")->t, 1);
}

static void counts_the_published_work(void **state)
{
    (void)state;
    struct graph graph = unroll(I3D_HEAD_AVG, 64, 224, 224);
    assert_in_range(graph_flops(&graph) / 1e9, 220, 222);
}

static void says_what_size_is_too_small(void **state)
{
    (void)state;
    i3d_model *model = make(I3D_HEAD_AVG);
    struct graph graph;
    assert_fails(graph_create(model, 7, 224, 224, &graph), I3D_EINVAL, "7 frames");
    assert_fails(graph_create(model, 7, 224, 224, &graph), I3D_EINVAL, "give 8 to");
    assert_fails(graph_create(model, 8, 31, 224, &graph), I3D_EINVAL, "31 rows");
    assert_fails(graph_create(model, 8, 32, 31, &graph), I3D_EINVAL, "31 columns");
    assert_fails(graph_create(model, -8, 32, 32, &graph), I3D_EINVAL, "-8 frames");
    i3d_model_free(model);
}

static void a_unit_is_a_network_too(void **state)
{
    (void)state;
    i3d_model *model;
    struct graph graph;
    assert_ok(model_create_unit(4, 6, (int[]){ 3, 1, 2 }, (int[]){ 2, 1, 1 }, &model));
    assert_int_equal(i3d_model_param_count(model), 5);
    assert_ok(graph_create(model, 5, 6, 7, &graph));
    assert_int_equal(graph.op_count, 1);
    assert_int_equal(graph_output_floats(&graph), 6 * 3 * 6 * 7);
    i3d_model_free(model);
    assert_ok(model_create_unit(4, 0, (int[]){ 2, 2, 2 }, (int[]){ 2, 2, 2 }, &model));
    assert_int_equal(i3d_model_param_count(model), 0);
    assert_ok(graph_create(model, 5, 6, 7, &graph));
    assert_int_equal(graph.ops[0].kind, OP_POOL);
    assert_int_equal(graph_output_floats(&graph), 4 * 3 * 3 * 4);
    i3d_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_shapes_of_the_paper),
        cmocka_unit_test(pads_as_tensorflow_does),
        cmocka_unit_test(branches_write_side_by_side),
        cmocka_unit_test(comes_in_execution_order),
        cmocka_unit_test(finds_the_parameters_of_each_operation),
        cmocka_unit_test(the_average_takes_two_frames_and_the_maximum_all),
        cmocka_unit_test(counts_the_published_work),
        cmocka_unit_test(says_what_size_is_too_small),
        cmocka_unit_test(a_unit_is_a_network_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
