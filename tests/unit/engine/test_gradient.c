/* Laws of gradients on the reference engine: they are the slopes of the loss, what is not trained
 * has none, and a batch norm reports the statistics it used. */
#include "unit/engine/net.h"

static const struct unit small[] = {
    { UNIT_CONV, "Conv3d_1a", { 3, 3, 3 }, { 1, 2, 2 }, .channels = { 4 } },
    { UNIT_POOL, "MaxPool3d_2a", { 1, 2, 2 }, .stride = { 1, 2, 2 } },
    { UNIT_MIXED, "Mixed_3b", .channels = { 3, 2, 4, 2, 3, 2 } },
    { UNIT_CONV, "Conv3d_4b", { 1, 1, 1 }, { 1, 1, 1 }, .channels = { 5 } },
    { .kind = UNIT_HEAD, .name = "logits" },
};
enum { SMALL = sizeof small / sizeof small[0], CONVS = 8, PARAMS = CONVS * 5 + 2 };

static struct net make(i3d_head head)
{
    i3d_model_options options = { .channels = 2, .classes = 3, .head = head, .bn_epsilon = 1e-3 };
    struct net net = net_make(small, SMALL, &options, 2, (int[]){ 4, 12, 12 });
    net_draw_params(net.model, 1);
    assert_int_equal(i3d_model_param_count(net.model), PARAMS);
    return net;
}

static void check_slopes(i3d_head head, const bool *frozen)
{
    struct net net = make(head);
    net.request.frozen = frozen;
    net_plan(&net, 3);
    net_step(&net);
    net_check_slopes(&net, 1e-3f);
    net_free(&net);
}

static void gradients_are_the_slopes_of_the_loss(void **state)
{
    (void)state;
    check_slopes(I3D_HEAD_AVG, NULL);
    check_slopes(I3D_HEAD_MAX, NULL);
}

static void so_they_are_with_frozen_batch_norms(void **state)
{
    (void)state;
    bool frozen[GRAPH_OPS_MAX];
    memset(frozen, true, sizeof frozen);
    check_slopes(I3D_HEAD_AVG, frozen);
}

static bool is_zero(const struct net *net, const i3d_param *param)
{
    return net_norm(net_gradient(net, param), param->count) == 0;
}

static void what_is_not_trained_has_no_gradient_and_changes_no_other(void **state)
{
    (void)state;
    struct net all = make(I3D_HEAD_AVG), some = make(I3D_HEAD_AVG);
    bool trained[PARAMS], frozen[GRAPH_OPS_MAX] = { [0] = true };
    net_plan(&all, 3);
    net_step(&all);
    for (size_t p = 0; p < PARAMS; p++) /* all of Mixed_3b_b1b, the gammas behind it, the logits */
        trained[p] = (p >= 15 && p < 20) || (p > 20 && p % 5 == 1) || p >= PARAMS - 2;
    some.request.trained = trained;
    net_plan(&some, 3);
    net_step(&some);
    for (size_t p = 0; p < PARAMS; p++) {
        const i3d_param *param = i3d_model_param(some.model, p);
        bool statistics = param->role == I3D_PARAM_MEAN || param->role == I3D_PARAM_VARIANCE;
        if (trained[p] || statistics)
            assert_memory_equal(net_gradient(&some, param), net_gradient(&all, param),
                                param->count * sizeof(float));
        else
            assert_true(is_zero(&some, param));
    }
    assert_true(some.engine->memory(some.plan) < all.engine->memory(all.plan));
    net_free(&some);

    some = make(I3D_HEAD_AVG);
    some.request.frozen = frozen;
    net_plan(&some, 3);
    net_step(&some);
    assert_true(is_zero(&some, i3d_model_param(some.model, 3)));
    assert_true(is_zero(&some, i3d_model_param(some.model, 4)));
    assert_false(is_zero(&some, i3d_model_param(some.model, 0)));
    assert_false(is_zero(&some, i3d_model_param(some.model, 8)));
    net_free(&some);
    net_free(&all);
}

/* The first convolution reads one channel with a kernel of one: its output is the clip, scaled. */
static void statistics_are_the_batch_s_and_unbiased(void **state)
{
    (void)state;
    const struct unit unit = { UNIT_CONV, "a", { 1, 1, 1 }, { 1, 1, 1 }, .channels = { 1 } };
    i3d_model_options options = { .channels = 1, .bn_epsilon = 1e-3 };
    struct net net = net_make(&unit, 1, &options, 2, (int[]){ 2, 3, 4 });
    const double weight = 2;
    *i3d_model_data(net.model) = (float)weight;
    net_plan(&net, 1);
    net_step(&net);
    double mean = 0, squares = 0, count = 2 * 2 * 3 * 4;
    for (int i = 0; i < (int)count; i++)
        mean += weight * net.data[i] / count;
    for (int i = 0; i < (int)count; i++)
        squares += pow(weight * net.data[i] - mean, 2);
    assert_true(fabs(net.statistics[0] - mean) < 1e-6);
    assert_true(fabs(net.statistics[1] - squares / (count - 1)) < 1e-6);
    net_free(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_the_slopes_of_the_loss),
        cmocka_unit_test(so_they_are_with_frozen_batch_norms),
        cmocka_unit_test(what_is_not_trained_has_no_gradient_and_changes_no_other),
        cmocka_unit_test(statistics_are_the_batch_s_and_unbiased),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
