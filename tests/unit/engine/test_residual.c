/* A small residual network: sums of two values, convolutions without norm or ReLU. Its gradients
 * are the slopes of its loss, and its values are what a few lines here compute. */
#include "unit/engine/net.h"

static const struct unit residual[] = {
    { UNIT_CONV, "stem", { 3, 3, 3 }, { 1, 2, 2 }, .channels = { 4 } },
    { UNIT_CONV, "narrow", { 1, 1, 1 }, { 1, 1, 1 }, .channels = { 3 } },
    { UNIT_CONV, "wide", { 3, 1, 3 }, { 1, 1, 1 }, .channels = { 4 }, .no_relu = true },
    { UNIT_ADD, "sum", .from = "stem" },
    { UNIT_CONV,
      "biased",
      { 1, 1, 1 },
      { 1, 1, 1 },
      .channels = { 4 },
      .no_norm = true,
      .no_relu = true },
    { UNIT_ADD, "twice", .no_relu = true, .from = "sum" },
    { .kind = UNIT_HEAD, .name = "logits" },
};
enum { UNITS = sizeof residual / sizeof residual[0], PARAMS = 3 * 5 + 2 + 2 };

static struct net make(void)
{
    i3d_model_options options = { .channels = 2, .classes = 3, .bn_epsilon = 1e-3 };
    struct net net = net_make(residual, UNITS, &options, 2, (int[]){ 4, 8, 8 });
    net_draw_params(net.model, 1);
    assert_int_equal(net.graph.param_count, PARAMS);
    return net;
}

static void gradients_are_the_slopes_of_the_loss(void **state)
{
    (void)state;
    struct net net = make();
    net_plan(&net, 3);
    net_step(&net);
    net_check_slopes(&net, 2e-4f);
    net_free(&net);
}

static float *read_named(struct net *net, const char *name, size_t *count)
{
    for (int v = 0; v < net->graph.value_count; v++) {
        if (strcmp(net->graph.values[v].name, name) != 0)
            continue;
        *count = 2 * value_floats(&net->graph.values[v]);
        float *floats = net_floats(*count);
        assert_ok(net->engine->read_value(net->plan, v, floats));
        return floats;
    }
    fail_msg("no value '%s'", name);
    return NULL;
}

static void values_are_sums(void **state)
{
    (void)state;
    struct net net = make();
    size_t count;
    bool negative = false;
    net_plan(&net, 3);
    net_forward(&net);
    float *stem = read_named(&net, "stem", &count), *wide = read_named(&net, "wide", &count);
    float *sum = read_named(&net, "sum", &count), *biased = read_named(&net, "biased", &count);
    float *twice = read_named(&net, "twice", &count);
    const i3d_param *weight = i3d_model_find_param(net.model, "biased.weight");
    const i3d_param *bias = i3d_model_find_param(net.model, "biased.bias");
    const float *w = net.model->data + weight->offset, *b = net.model->data + bias->offset;
    size_t map = count / 2 / 4;
    for (size_t i = 0; i < count; i++) {
        negative = negative || wide[i] < 0;
        assert_true(sum[i] == fmaxf(stem[i] + wide[i], 0));
        assert_true(twice[i] == biased[i] + sum[i]);
        size_t n = i / (4 * map), c = i / map % 4, at = i % map;
        double expected = (double)b[c];
        for (size_t k = 0; k < 4; k++)
            expected += (double)w[c * 4 + k] * (double)sum[(n * 4 + k) * map + at];
        assert_true(fabs((double)biased[i] - expected) < 1e-5);
    }
    assert_true(negative); /* no ReLU cut it */
    memory_free(stem);
    memory_free(wide);
    memory_free(sum);
    memory_free(biased);
    memory_free(twice);
    net_free(&net);
}

static void the_cpu_engine_says_that_it_cannot(void **state)
{
    (void)state;
    struct net net = make();
    net.request.precision = I3D_PRECISION_F32;
    if (engine_find("cpu", &net.engine) == I3D_OK)
        assert_fails(net_try_plan(&net), I3D_EUNSUPPORTED, "choose the reference engine");
    net_free(&net);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    i3d_model_options options = { .channels = 2, .classes = 3, .bn_epsilon = 1e-3 };
    struct unit units[UNITS];
    struct graph graph;
    i3d_model *model;
    memcpy(units, residual, sizeof units);
    units[3].from = "narrow";
    assert_fails(model_create(units, UNITS, &options, &model), I3D_EINVAL, "cannot add 'narrow'");
    units[3].from = "nothing";
    assert_fails(model_create(units, UNITS, &options, &model), I3D_EINVAL, "cannot add 'nothing'");
    memcpy(units, residual, sizeof units);
    units[1].stride[0] = 2;
    assert_ok(model_create(units, UNITS, &options, &model));
    assert_fails(graph_create(model, 4, 8, 8, &graph), I3D_EINVAL, "cannot add 'stem'");
    i3d_model_free(model);
}

/* More units than the tables have rows: an error, in a release build too. */
static void a_network_that_is_too_large_is_an_error(void **state)
{
    (void)state;
    i3d_model_options options = { .channels = 2, .bn_epsilon = 1e-3 };
    struct unit *units;
    i3d_model *model;
    assert_ok(memory_get(GRAPH_OPS_MAX + 1, sizeof *units, &units));
    for (int u = 0; u <= GRAPH_OPS_MAX; u++)
        units[u] = (struct unit){ UNIT_CONV, "unit", { 1, 1, 1 }, { 1, 1, 1 }, .channels = { 2 } };
    assert_fails(model_create(units, GRAPH_VALUES_MAX, &options, &model), I3D_EUNSUPPORTED,
                 "more than 64 values");
    for (int u = 0; u <= GRAPH_OPS_MAX; u++)
        units[u] = (struct unit){ UNIT_MIXED, "unit", .channels = { 2, 2, 2, 2, 2, 2 } };
    assert_fails(model_create(units, GRAPH_OPS_MAX, &options, &model), I3D_EUNSUPPORTED,
                 "more than");
    assert_null(model);
    memory_free(units);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_the_slopes_of_the_loss),
        cmocka_unit_test(values_are_sums),
        cmocka_unit_test(the_cpu_engine_says_that_it_cannot),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(a_network_that_is_too_large_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
