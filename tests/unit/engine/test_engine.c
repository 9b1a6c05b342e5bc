/* Laws of running a network. */
#include "unit/engine/net.h"

static const struct unit small[] = {
    { UNIT_CONV, "Conv3d_1a", { 3, 3, 3 }, { 1, 2, 2 }, .channels = { 4 } },
    { UNIT_MIXED, "Mixed_3b", .channels = { 3, 2, 4, 2, 3, 2 } },
    { .kind = UNIT_HEAD, .name = "logits" },
};
enum { SMALL = sizeof small / sizeof small[0], BATCH = 3, CLASSES = 5 };

static struct net make(bool training)
{
    i3d_model_options options = { .channels = 2, .classes = CLASSES, .bn_epsilon = 1e-3 };
    struct net net = net_make(small, SMALL, &options, BATCH, (int[]){ 5, 10, 9 });
    net_draw_params(net.model, 1);
    net.request.precision = I3D_PRECISION_F32;
    net.request.purpose = training ? PLAN_TRAINING : PLAN_INFERENCE;
    return net;
}

static void the_number_of_threads_changes_no_bit(void **state)
{
    (void)state;
    struct net one = make(true), four = make(true);
    one.request.threads = 1;
    four.request.threads = 4;
    net_plan(&one, 1);
    net_plan(&four, 1);
    net_step(&one);
    net_step(&four);
    assert_memory_equal(one.output, four.output, BATCH * CLASSES * sizeof(float));
    assert_memory_equal(one.gradients, four.gradients,
                        i3d_model_data_count(one.model) * sizeof(float));
    net_free(&one);
    net_free(&four);
}

static void a_step_again_gives_the_same_bits(void **state)
{
    (void)state;
    struct net net = make(true), fresh = make(true);
    net_plan(&net, 1);
    net_plan(&fresh, 1);
    net_step(&fresh);
    net_step(&net);
    net_step(&net);
    assert_memory_equal(net.output, fresh.output, BATCH * CLASSES * sizeof(float));
    assert_memory_equal(net.gradients, fresh.gradients,
                        i3d_model_data_count(net.model) * sizeof(float));
    net_free(&net);
    net_free(&fresh);
}

static void a_batch_is_its_clips_one_by_one(void **state)
{
    (void)state;
    struct net net = make(false);
    net_plan(&net, 1);
    net_forward(&net);
    for (int n = 0; n < BATCH; n++) {
        float logits[CLASSES];
        assert_ok(net.engine->forward(net.plan, 1, net.data + (size_t)n * net_clip_floats(&net),
                                      NULL, logits));
        assert_memory_equal(logits, net.output + n * CLASSES, sizeof logits);
    }
    net_free(&net);
}

static void a_nan_is_not_hidden(void **state)
{
    (void)state;
    struct net net = make(false);
    net_plan(&net, 1);
    net.data[net_clip_floats(&net) + 7] = NAN;
    net_forward(&net);
    for (int k = 0; k < CLASSES; k++) {
        assert_true(net.output[k] == net.output[k]);
        assert_true(net.output[CLASSES + k] != net.output[CLASSES + k]);
    }
    net_free(&net);
}

static void values_can_be_read(void **state)
{
    (void)state;
    struct net net = make(false);
    net_plan(&net, 1);
    net_forward(&net);
    size_t floats = BATCH * net_clip_floats(&net);
    float *data = net_floats(floats), features[BATCH * 12 * 4];
    assert_ok(net.engine->read_value(net.plan, 0, data));
    assert_memory_equal(data, net.data, floats * sizeof(float));
    int last = net.graph.value_count - 1;
    assert_int_equal(net_feature_floats(&net), sizeof features / sizeof features[0]);
    assert_ok(net.engine->read_value(net.plan, last, features));
    assert_true(net_norm(features, net_feature_floats(&net)) > 0);
    assert_fails(net.engine->read_value(net.plan, last + 1, data), I3D_EINVAL, "no value");
    memory_free(data);
    net_free(&net);
}

static void a_plan_survives_a_lack_of_memory(void **state)
{
    (void)state;
    struct net net = make(true);
    long n = 1;
    for (i3d_status status = I3D_ENOMEM; status != I3D_OK; n++) {
        memory_fail_at(n);
        status = net_try_plan(&net);
        memory_fail_at(0);
        assert_true(status == I3D_OK || (status == I3D_ENOMEM && !net.plan));
    }
    assert_true(n > 20);
    net_free(&net);
}

static void bfloat16_is_for_other_engines(void **state)
{
    (void)state;
    struct net net = make(false);
    net.request.precision = I3D_PRECISION_BF16;
    assert_fails(net_try_plan(&net), I3D_EUNSUPPORTED, "bf16");
    net_free(&net);
}

static void engines_are_found_by_name(void **state)
{
    (void)state;
    const struct engine *engine, *fastest;
    assert_ok(engine_find("reference", &engine));
    assert_string_equal(engine->name, "reference");
    assert_ok(engine_find("auto", &fastest));
    assert_ok(engine_find(NULL, &engine));
    assert_ptr_equal(engine, fastest);
    assert_fails(engine_find("abacus", &engine), I3D_EUNSUPPORTED, "'abacus'");
    assert_fails(engine_find("abacus", &engine), I3D_EUNSUPPORTED, "auto");
    assert_null(engine);
}

static void a_device_stands_behind_a_colon(void **state)
{
    (void)state;
    const struct engine *engine;
    int device = 7;
    assert_ok(engine_find_device("reference", &engine, &device));
    assert_int_equal(device, 0);
    assert_ok(engine_find_device("reference:0", &engine, &device));
    assert_string_equal(engine->name, "reference");
    assert_int_equal(engine_find_device("reference:1", &engine, &device), I3D_EINVAL);
    assert_non_null(strstr(i3d_error(), "has one device"));
    static const char *const bad[] = { "reference:", "reference:x", "reference:-1", "reference:1x",
                                       "reference:99999999999999999999" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(engine_find_device(bad[i], &engine, &device), I3D_EINVAL);
    assert_int_equal(engine_find_device("nothing:0", &engine, &device), I3D_EUNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_number_of_threads_changes_no_bit),
        cmocka_unit_test(a_step_again_gives_the_same_bits),
        cmocka_unit_test(a_batch_is_its_clips_one_by_one),
        cmocka_unit_test(a_nan_is_not_hidden),
        cmocka_unit_test(values_can_be_read),
        cmocka_unit_test(a_plan_survives_a_lack_of_memory),
        cmocka_unit_test(bfloat16_is_for_other_engines),
        cmocka_unit_test(engines_are_found_by_name),
        cmocka_unit_test(a_device_stands_behind_a_colon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
