/* The optimizer inside a plan, on the reference engine: formulas, what it leaves alone, and steps
 * that are not finite. */
#include "unit/engine/net.h"

static const struct unit small[] = {
    { UNIT_CONV, "first", { 1, 1, 1 }, { 1, 1, 1 }, .channels = { 2 } },
    { .kind = UNIT_HEAD, .name = "logits" },
};
enum { PARAMS = 7 };

struct bench {
    struct net net;
    const i3d_param *bias, *gamma, *mean;
    bool trained[PARAMS];
};

/* `prefix`: which parameters are trained. */
static struct bench open_bench(struct optimizer optimizer, const char *prefix)
{
    i3d_model_options options = { .channels = 2, .classes = 3, .bn_epsilon = 1e-3 };
    struct bench bench = { .net = net_make(small, 2, &options, 2, (int[]){ 2, 2, 2 }) };
    struct net *net = &bench.net;
    assert_int_equal(net->graph.param_count, PARAMS);
    for (int p = 0; p < PARAMS; p++)
        bench.trained[p] = strncmp(net->graph.params[p].name, prefix, strlen(prefix)) == 0;
    bench.bias = i3d_model_find_param(net->model, "logits.bias");
    bench.gamma = i3d_model_find_param(net->model, "first.gamma");
    bench.mean = i3d_model_find_param(net->model, "first.mean");
    net->request.optimizer = optimizer;
    net->request.trained = bench.trained;
    net_plan(net, 1);
    return bench;
}

static void set(struct bench *bench, enum plan_array array, const i3d_param *param, size_t index,
                float value)
{
    assert_ok(bench->net.engine->upload(bench->net.plan, array,
                                        (struct range){ param->offset + index, 1 }, &value));
}

static double get(struct bench *bench, enum plan_array array, const i3d_param *param, size_t index)
{
    float value;
    assert_ok(bench->net.engine->download(bench->net.plan, array,
                                          (struct range){ param->offset + index, 1 }, &value));
    return (double)value;
}

static struct applied apply(struct bench *bench, long step, double lr, double clips, double loss)
{
    struct applied applied;
    struct update update = {
        .step = step, .lr = lr, .clips = clips, .loss = loss, .bn_momentum = .1
    };
    assert_ok(bench->net.engine->apply(bench->net.plan, &update));
    assert_ok(bench->net.engine->applied(bench->net.plan, &applied));
    assert_int_equal(applied.step, step);
    return applied;
}

static void assert_near(double value, double expected, double by)
{
    if (!(fabs(value - expected) <= by))
        fail_msg("%.9g is not within %g of %.9g", value, by, expected);
}

static void adam_begins_with_a_step_of_lr(void **state)
{
    (void)state;
    struct bench bench = open_bench((struct optimizer){ .kind = I3D_ADAM }, "");
    set(&bench, PLAN_GRADIENTS, bench.bias, 0, 3);
    set(&bench, PLAN_GRADIENTS, bench.bias, 1, -1e-3f);
    apply(&bench, 0, .01, 1, 0);
    assert_near(get(&bench, PLAN_PARAMS, bench.bias, 0), -.01, 1e-6);
    assert_near(get(&bench, PLAN_PARAMS, bench.bias, 1), .01, 1e-6);
    assert_near(get(&bench, PLAN_PARAMS, bench.bias, 2), 0, 0);
    /* Second step, by hand: m = .1 g1 .9 + .1 g2, v alike, both corrected. */
    set(&bench, PLAN_GRADIENTS, bench.bias, 0, -1);
    double m = .9 * .1 * 3 - .1, v = .999 * .001 * 9 + .001;
    apply(&bench, 1, .01, 1, 0);
    assert_near(get(&bench, PLAN_MOMENT_1, bench.bias, 0), m, 1e-6);
    assert_near(get(&bench, PLAN_MOMENT_2, bench.bias, 0), v, 1e-8);
    assert_near(get(&bench, PLAN_PARAMS, bench.bias, 0),
                -.01 - .01 * m / (1 - .81) / sqrt(v / (1 - .998001)), 1e-6);
    net_free(&bench.net);
}

static void sgd_gathers_momentum(void **state)
{
    (void)state;
    struct bench bench = open_bench((struct optimizer){ .kind = I3D_SGD, .momentum = .9 }, "");
    set(&bench, PLAN_GRADIENTS, bench.bias, 0, 1);
    for (int step = 0; step < 3; step++)
        apply(&bench, step, .1, 1, 0);
    assert_near(get(&bench, PLAN_PARAMS, bench.bias, 0), -.1 * (1 + 1.9 + 2.71), 1e-6);
    net_free(&bench.net);
}

static void rmsprop_has_two_forms(void **state)
{
    (void)state;
    struct bench bench = open_bench((struct optimizer){ .kind = I3D_RMSPROP }, "");
    set(&bench, PLAN_GRADIENTS, bench.bias, 0, 4);
    apply(&bench, 0, .1, 1, 0);
    assert_near(get(&bench, PLAN_PARAMS, bench.bias, 0), -.1 / sqrt(.01), 1e-5);
    net_free(&bench.net);
    bench = open_bench((struct optimizer){ .kind = I3D_RMSPROP, .mindspore = true }, "");
    set(&bench, PLAN_GRADIENTS, bench.bias, 0, 4e-5f);
    apply(&bench, 0, .1, 1, 0);
    double wanted = -.1 * 4e-5 / sqrt(.1 * 16e-10 + 1e-10);
    assert_near(get(&bench, PLAN_PARAMS, bench.bias, 0) / wanted, 1, 1e-5);
    net_free(&bench.net);
}

static void weight_decay_spares_batch_norm(void **state)
{
    (void)state;
    struct bench bench = open_bench((struct optimizer){ .kind = I3D_SGD, .weight_decay = .5 }, "");
    set(&bench, PLAN_PARAMS, bench.bias, 0, 2);
    apply(&bench, 0, .1, 1, 0);
    assert_near(get(&bench, PLAN_PARAMS, bench.bias, 0), 2 - .1 * .5 * 2, 1e-6);
    assert_near(get(&bench, PLAN_PARAMS, bench.gamma, 0), 1, 0);
    net_free(&bench.net);
}

static void what_is_not_trained_stays(void **state)
{
    (void)state;
    struct bench bench =
        open_bench((struct optimizer){ .kind = I3D_ADAM, .weight_decay = .1 }, "logits");
    for (int p = 0; p < PARAMS; p++)
        set(&bench, PLAN_GRADIENTS, &bench.net.graph.params[p], 0, 1);
    apply(&bench, 0, .1, 1, 0);
    assert_near(get(&bench, PLAN_PARAMS, bench.gamma, 0), 1, 0);
    assert_true(get(&bench, PLAN_PARAMS, bench.bias, 0) != 0);
    assert_near(get(&bench, PLAN_MOMENT_1, bench.gamma, 0), 0, 0);
    assert_true(get(&bench, PLAN_MOMENT_1, bench.bias, 0) > 0);
    net_free(&bench.net);
}

static void gradients_are_sums_over_the_clips(void **state)
{
    (void)state;
    struct bench bench = open_bench((struct optimizer){ .kind = I3D_SGD }, "");
    set(&bench, PLAN_GRADIENTS, bench.bias, 0, 12);
    set(&bench, PLAN_GRADIENTS, bench.bias, 1, 16);
    struct applied applied = apply(&bench, 0, .1, 4, 0);
    assert_near(get(&bench, PLAN_PARAMS, bench.bias, 0), -.3, 1e-7);
    assert_near(applied.gradient_norm, 5, 1e-9);
    net_free(&bench.net);
}

static void running_statistics_follow_the_batch_s(void **state)
{
    (void)state;
    struct bench bench = open_bench((struct optimizer){ .kind = I3D_SGD }, "");
    net_draw_params(bench.net.model, 1);
    assert_ok(net_upload(&bench.net));
    double before = get(&bench, PLAN_PARAMS, bench.mean, 1);
    net_step(&bench.net);
    double batch = (double)net_gradient(&bench.net, bench.mean)[1];
    assert_true(batch != 0);
    apply(&bench, 0, 0, 2, 0);
    assert_near(get(&bench, PLAN_PARAMS, bench.mean, 1), .9 * before + .1 * batch, 1e-7);
    net_free(&bench.net);
}

static void a_step_that_is_not_finite_is_skipped_and_told(void **state)
{
    (void)state;
    struct bench bench = open_bench((struct optimizer){ .kind = I3D_ADAM }, "");
    float before[64], after[64];
    struct range all = { 0, bench.net.graph.floats };
    assert_true(all.count <= 64);
    set(&bench, PLAN_GRADIENTS, bench.bias, 0, 1);
    assert_ok(bench.net.engine->download(bench.net.plan, PLAN_PARAMS, all, before));
    struct applied applied = apply(&bench, 0, .1, 1, NAN);
    assert_true(applied.skipped && isnan(applied.loss) && applied.param == -1);
    set(&bench, PLAN_GRADIENTS, bench.gamma, 1, INFINITY);
    applied = apply(&bench, 1, .1, 1, 0);
    assert_true(applied.skipped && applied.loss == 0);
    assert_string_equal(bench.net.graph.params[applied.param].name, "first.gamma");
    set(&bench, PLAN_GRADIENTS, bench.gamma, 1, 0);
    float statistic = NAN;
    assert_ok(bench.net.engine->upload(bench.net.plan, PLAN_STATISTICS, (struct range){ 1, 1 },
                                       &statistic));
    applied = apply(&bench, 2, .1, 1, 0);
    assert_true(applied.skipped);
    assert_string_equal(bench.net.graph.params[applied.param].name, "first.variance");
    assert_ok(bench.net.engine->download(bench.net.plan, PLAN_PARAMS, all, after));
    assert_memory_equal(before, after, all.count * sizeof *before);
    assert_near(get(&bench, PLAN_MOMENT_1, bench.bias, 0), 0, 0);
    statistic = 0;
    assert_ok(bench.net.engine->upload(bench.net.plan, PLAN_STATISTICS, (struct range){ 1, 1 },
                                       &statistic));
    assert_false(apply(&bench, 3, .1, 1, 0).skipped);
    net_free(&bench.net);
}

struct told {
    size_t begins[PARAMS];
    int count, stop_at;
};

static i3d_status note(void *context, struct range range)
{
    struct told *told = context;
    told->begins[told->count++] = range.begin;
    return told->count == told->stop_at ? I3D_EIO : I3D_OK;
}

/* Final gradients are told from the last operation to the first, untrained ones never. */
static void gradients_become_ready_from_the_end(void **state)
{
    (void)state;
    struct bench bench = open_bench((struct optimizer){ .kind = I3D_SGD }, "");
    struct told told = { .stop_at = -1 };
    struct ready ready = { note, &told };
    net_forward(&bench.net);
    assert_ok(bench.net.engine->backward(bench.net.plan, bench.net.output_gradient, &ready));
    assert_int_equal(told.count, 5);
    assert_int_equal(told.begins[0],
                     i3d_model_find_param(bench.net.model, "logits.weight")->offset);
    assert_int_equal(told.begins[1], bench.bias->offset);
    assert_int_equal(told.begins[2], 0);
    told = (struct told){ .stop_at = 2 };
    assert_int_equal(bench.net.engine->backward(bench.net.plan, bench.net.output_gradient, &ready),
                     I3D_EIO);
    assert_int_equal(told.count, 2);
    net_free(&bench.net);
}

static void arrays_go_out_and_come_in(void **state)
{
    (void)state;
    struct bench bench = open_bench((struct optimizer){ .kind = I3D_ADAM }, "logits");
    const struct engine *engine = bench.net.engine;
    size_t floats = bench.net.graph.floats;
    float out[64], value = 7;
    set(&bench, PLAN_MOMENT_2, bench.bias, 1, 7);
    assert_ok(engine->download(bench.net.plan, PLAN_MOMENT_2, (struct range){ 0, floats }, out));
    for (size_t i = 0; i < floats; i++)
        assert_true(out[i] == (i == bench.bias->offset + 1 ? 7 : 0));
    assert_fails(engine->upload(bench.net.plan, PLAN_PARAMS, (struct range){ floats, 1 }, &value),
                 I3D_EINVAL, "out of the array");
    struct array gradients = engine->array(bench.net.plan, PLAN_GRADIENTS);
    assert_int_equal(gradients.count, floats);
    assert_int_equal(gradients.kind, MEMORY_HOST);
    set(&bench, PLAN_GRADIENTS, bench.bias, 2, 5);
    assert_true(((const float *)gradients.data)[bench.bias->offset + 2] == 5);
    net_free(&bench.net);

    bench.net =
        net_make(small, 2, &(i3d_model_options){ .channels = 2, .classes = 3, .bn_epsilon = 1 }, 1,
                 (int[]){ 2, 2, 2 });
    bench.net.request.purpose = PLAN_INFERENCE;
    net_plan(&bench.net, 1);
    assert_fails(engine->download(bench.net.plan, PLAN_GRADIENTS, (struct range){ 0, 1 }, out),
                 I3D_EINVAL, "keeps no such array");
    net_free(&bench.net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adam_begins_with_a_step_of_lr),
        cmocka_unit_test(sgd_gathers_momentum),
        cmocka_unit_test(rmsprop_has_two_forms),
        cmocka_unit_test(weight_decay_spares_batch_norm),
        cmocka_unit_test(what_is_not_trained_stays),
        cmocka_unit_test(gradients_are_sums_over_the_clips),
        cmocka_unit_test(running_statistics_follow_the_batch_s),
        cmocka_unit_test(a_step_that_is_not_finite_is_skipped_and_told),
        cmocka_unit_test(gradients_become_ready_from_the_end),
        cmocka_unit_test(arrays_go_out_and_come_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
