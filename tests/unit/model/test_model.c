/* The parameters: their number, names, order and start. Counts are those of the
 * original's checkpoints. */
#include "test.h"

#include "base/memory.h"
#include "model/model.h"

#include <math.h>

static i3d_model *make(int channels, int classes)
{
    i3d_model *model;
    assert_ok(i3d_model_create(
        &(i3d_model_options){ .channels = channels, .classes = classes, .bn_epsilon = 1e-3 },
        &model));
    return model;
}

static bool is_running(const i3d_param *param)
{
    return param->role == I3D_PARAM_MEAN || param->role == I3D_PARAM_VARIANCE;
}

/* Floats in parameters that are trained and whose name begins with one of two prefixes. */
static size_t count_trained(const i3d_model *model, const char *a, const char *b)
{
    size_t sum = 0;
    for (size_t p = 0; p < i3d_model_param_count(model); p++) {
        const i3d_param *param = i3d_model_param(model, p);
        if (!is_running(param) &&
            (strncmp(param->name, a, strlen(a)) == 0 || strncmp(param->name, b, strlen(b)) == 0))
            sum += param->count;
    }
    return sum;
}

static void has_as_many_parameters_as_the_original(void **state)
{
    (void)state;
    static const struct {
        int channels, classes;
        size_t count;
    } cases[] = { { 3, 400, 12697264 },
                  { 2, 400, 12675312 },
                  { 3, 51, 12339539 },
                  { 3, 101, 12390789 },
                  { 2, 51, 12317587 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        i3d_model *model = make(cases[i].channels, cases[i].classes);
        assert_int_equal(i3d_model_param_count(model), 57 * 5 + 2);
        assert_int_equal(count_trained(model, "", ""), cases[i].count);
        assert_int_equal(i3d_model_data_count(model), cases[i].count + 14560);
        i3d_model_free(model);
    }
}

static void prefixes_choose_the_blocks_that_are_fine_tuned(void **state)
{
    (void)state;
    i3d_model *model = make(3, 51);
    assert_int_equal(count_trained(model, "logits", "Mixed_5"), 4811283);
    i3d_model_free(model);
    model = make(3, 101);
    assert_int_equal(count_trained(model, "logits", "Mixed_5"), 4862533);
    i3d_model_free(model);
}

static void names_parameters_by_operation_and_role(void **state)
{
    (void)state;
    static const struct {
        size_t index;
        const char *name, *unit;
        i3d_param_role role;
        int64_t shape[5];
        int rank;
    } cases[] = {
        { 0, "Conv3d_1a_7x7.weight", "Conv3d_1a_7x7", I3D_PARAM_WEIGHT, { 64, 3, 7, 7, 7 }, 5 },
        { 1, "Conv3d_1a_7x7.gamma", "Conv3d_1a_7x7", I3D_PARAM_GAMMA, { 64 }, 1 },
        { 2, "Conv3d_1a_7x7.beta", "Conv3d_1a_7x7", I3D_PARAM_BETA, { 64 }, 1 },
        { 3, "Conv3d_1a_7x7.mean", "Conv3d_1a_7x7", I3D_PARAM_MEAN, { 64 }, 1 },
        { 15, "Mixed_3b_b0.weight", "Mixed_3b", I3D_PARAM_WEIGHT, { 64, 192, 1, 1, 1 }, 5 },
        { 25, "Mixed_3b_b1b.weight", "Mixed_3b", I3D_PARAM_WEIGHT, { 128, 96, 3, 3, 3 }, 5 },
        { 44, "Mixed_3b_b3b.variance", "Mixed_3b", I3D_PARAM_VARIANCE, { 32 }, 1 },
        { 285, "logits.weight", "logits", I3D_PARAM_WEIGHT, { 51, 1024, 1, 1, 1 }, 5 },
        { 286, "logits.bias", "logits", I3D_PARAM_BIAS, { 51 }, 1 },
    };
    i3d_model *model = make(3, 51);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const i3d_param *param = i3d_model_param(model, cases[i].index);
        assert_string_equal(param->name, cases[i].name);
        assert_string_equal(param->unit, cases[i].unit);
        assert_int_equal(param->role, cases[i].role);
        assert_int_equal(param->rank, cases[i].rank);
        assert_memory_equal(param->shape, cases[i].shape,
                            (size_t)param->rank * sizeof param->shape[0]);
        assert_ptr_equal(i3d_model_find_param(model, cases[i].name), param);
    }
    assert_null(i3d_model_find_param(model, "logits_conv3d.weight"));
    i3d_model_free(model);
}

static void lays_parameters_side_by_side(void **state)
{
    (void)state;
    i3d_model *model = make(2, 7);
    size_t offset = 0;
    for (size_t p = 0; p < i3d_model_param_count(model); p++) {
        const i3d_param *param = i3d_model_param(model, p);
        size_t count = 1;
        for (int d = 0; d < param->rank; d++)
            count *= (size_t)param->shape[d];
        assert_int_equal(param->offset, offset);
        assert_int_equal(param->count, count);
        offset += count;
    }
    assert_int_equal(offset, i3d_model_data_count(model));
    i3d_model_free(model);
}

/* Standard deviation of a parameter's floats around 0. */
static double deviation(i3d_model *model, const char *name)
{
    const i3d_param *param = i3d_model_find_param(model, name);
    const float *data = i3d_model_data(model) + param->offset;
    double sum = 0;
    for (size_t i = 0; i < param->count; i++)
        sum += (double)data[i] * data[i];
    return sqrt(sum / (double)param->count);
}

static void assert_near(double value, double expected, double by)
{
    if (fabs(value - expected) > by)
        fail_msg("%g is not within %g of %g", value, by, expected);
}

static void draws_fresh_weights_by_he_with_fan_out(void **state)
{
    (void)state;
    i3d_model *model = make(3, 51);
    i3d_model_initialize(model, 1, false);
    double stem = sqrt(2.0 / (64 * 343)), mixed = sqrt(2.0 / (320 * 27)), he = sqrt(2.0 / 51);
    assert_near(deviation(model, "Conv3d_1a_7x7.weight"), stem, .02 * stem);
    assert_near(deviation(model, "Mixed_5b_b1b.weight"), mixed, .01 * mixed);
    assert_near(deviation(model, "logits.weight"), .01, .0002);
    assert_near(deviation(model, "Mixed_3b_b0.gamma"), 1, 0);
    assert_near(deviation(model, "Mixed_3b_b0.variance"), 1, 0);
    assert_near(deviation(model, "Mixed_3b_b0.beta"), 0, 0);
    assert_near(deviation(model, "logits.bias"), 0, 0);
    i3d_model_initialize(model, 1, true);
    assert_near(deviation(model, "logits.weight"), he, .02 * he);
    i3d_model_free(model);
}

static void draws_the_same_weights_from_the_same_seed(void **state)
{
    (void)state;
    i3d_model *a = make(2, 3), *b = make(2, 3);
    i3d_model_initialize(a, 5, false);
    i3d_model_initialize(b, 5, false);
    assert_memory_equal(a->data, b->data, a->graph.floats * sizeof *a->data);
    i3d_model_initialize(b, 6, false);
    assert_memory_not_equal(a->data, b->data, a->graph.floats * sizeof *a->data);
    i3d_model_free(a);
    i3d_model_free(b);
}

static void refuses_what_is_no_network(void **state)
{
    (void)state;
    i3d_model *model;
    i3d_model_options good = { .channels = 3, .classes = 2, .bn_epsilon = 1e-3 }, bad = good;
    bad.channels = 0;
    assert_fails(i3d_model_create(&bad, &model), I3D_EINVAL, "input channels");
    bad = good;
    bad.classes = 0;
    assert_fails(i3d_model_create(&bad, &model), I3D_EINVAL, "classes");
    bad = good;
    bad.bn_epsilon = NAN;
    assert_fails(i3d_model_create(&bad, &model), I3D_EINVAL, "epsilon");
    bad = good;
    bad.head = (i3d_head)7;
    assert_fails(i3d_model_create(&bad, &model), I3D_EINVAL, "head");
    assert_null(model);
}

static void survives_a_lack_of_memory(void **state)
{
    (void)state;
    i3d_model_options options = { .channels = 3, .classes = 2, .bn_epsilon = 1e-3 };
    i3d_model *model = NULL;
    for (long n = 1; n < 400 && !model; n += 37) {
        memory_fail_at(n);
        i3d_status status = i3d_model_create(&options, &model);
        memory_fail_at(0);
        assert_true(status == I3D_ENOMEM ? !model : status == I3D_OK);
    }
    assert_non_null(model);
    i3d_model_free(model);
    i3d_model_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_as_many_parameters_as_the_original),
        cmocka_unit_test(prefixes_choose_the_blocks_that_are_fine_tuned),
        cmocka_unit_test(names_parameters_by_operation_and_role),
        cmocka_unit_test(lays_parameters_side_by_side),
        cmocka_unit_test(draws_fresh_weights_by_he_with_fan_out),
        cmocka_unit_test(draws_the_same_weights_from_the_same_seed),
        cmocka_unit_test(refuses_what_is_no_network),
        cmocka_unit_test(survives_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
