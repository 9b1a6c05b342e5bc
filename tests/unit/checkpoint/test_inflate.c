/* From a 2-D GoogLeNet to I3D. What it computes is compared with PyTorch in tests/oracle. */
#include "test.h"

#include <i3d/checkpoint.h>

#include "checkpoint/dialects.h"

/* A GoogLeNet of random weights, its shapes those that the model's parameters ask for. */
static void make_googlenet(i3d_weights *out)
{
    static const char *const units[][2] = { { "Conv3d_1a_7x7", "conv1/7x7_s2" },
                                            { "Conv3d_2b_1x1", "conv2/3x3_reduce" },
                                            { "Conv3d_2c_3x3", "conv2/3x3" },
                                            { "logits", "loss3/classifier" } };
    static const char *const branches[] = { "1x1",        "3x3_reduce", "3x3",
                                            "5x5_reduce", "5x5",        "pool_proj" };
    i3d_model *model;
    i3d_tensor *tensor;
    uint32_t seed = 1;
    assert_ok(i3d_model_create(
        &(i3d_model_options){ .channels = 3, .classes = 4, .bn_epsilon = 1e-3 }, &model));
    *out = (i3d_weights){ 0 };
    for (size_t p = 0; p < i3d_model_param_count(model); p++) {
        const i3d_param *param = i3d_model_param(model, p);
        struct place place = place_of(param);
        char layer[64] = "", name[96];
        if (param->role != I3D_PARAM_WEIGHT)
            continue;
        for (int u = 0; u < 4; u++)
            if (strcmp(units[u][0], place.unit) == 0)
                snprintf(layer, sizeof layer, "%s", units[u][1]);
        if (place.branch >= 0)
            snprintf(layer, sizeof layer, "inception_%c%c/%s", place.unit[6], place.unit[7] - 1,
                     branches[place.branch]);
        int64_t width = place.branch == 4 ? 5 : param->shape[4];
        const int64_t shape[] = { param->shape[0], param->shape[1], width, width };
        snprintf(name, sizeof name, "%s/weight", layer);
        assert_ok(i3d_weights_add(out, name, I3D_F32, 4, shape, &tensor));
        for (size_t i = 0; i < i3d_tensor_count(tensor); i++) {
            seed = seed * 1664525u + 1013904223u;
            ((float *)tensor->data)[i] = (float)(int32_t)seed / 2147483648.f;
        }
        snprintf(name, sizeof name, "%s/bias", layer);
        assert_ok(i3d_weights_add(out, name, I3D_F32, 1, shape, &tensor));
        for (int64_t i = 0; i < shape[0]; i++)
            ((float *)tensor->data)[i] = (float)i;
    }
    i3d_model_free(model);
}

static const float *values(i3d_model *model, const char *name)
{
    const i3d_param *param = i3d_model_find_param(model, name);
    assert_non_null(param);
    return i3d_model_data(model) + param->offset;
}

static double get(const i3d_weights *googlenet, const char *name, size_t index)
{
    return i3d_tensor_get(i3d_weights_find(googlenet, name), index);
}

static void kernels_are_repeated_over_time_and_divided(void **state)
{
    (void)state;
    i3d_weights googlenet;
    i3d_model *model;
    make_googlenet(&googlenet);
    assert_ok(i3d_model_inflate(&googlenet, 3, &model));
    const float *weight = values(model, "Conv3d_2c_3x3.weight"); /* [192, 64, 3, 3, 3] */
    for (size_t oi = 0; oi < 192 * 64; oi++)
        for (size_t t = 0; t < 3; t++)
            for (size_t k = 0; k < 9; k++)
                assert_float_equal(weight[(oi * 3 + t) * 9 + k],
                                   get(&googlenet, "conv2/3x3/weight", oi * 9 + k) / 3, 1e-7);
    assert_float_equal(values(model, "Conv3d_2c_3x3.beta")[7], 7, 0);
    assert_float_equal(values(model, "Conv3d_2c_3x3.gamma")[7], 1, 0);
    assert_float_equal(values(model, "Conv3d_2c_3x3.mean")[7], 0, 0);
    assert_float_equal(values(model, "Conv3d_2c_3x3.variance")[7], .999, 1e-7);
    i3d_model_free(model);
    i3d_weights_clear(&googlenet);
}

static void of_a_5x5_kernel_the_middle_is_taken(void **state)
{
    (void)state;
    i3d_weights googlenet;
    i3d_model *model;
    make_googlenet(&googlenet);
    assert_ok(i3d_model_inflate(&googlenet, 3, &model));
    const float *weight = values(model, "Mixed_4c_b2b.weight");
    for (size_t y = 0; y < 3; y++)
        for (size_t x = 0; x < 3; x++)
            assert_float_equal(weight[y * 3 + x],
                               get(&googlenet, "inception_4b/5x5/weight", (y + 1) * 5 + x + 1) / 3,
                               1e-7);
    i3d_model_free(model);
    i3d_weights_clear(&googlenet);
}

/* sum W x + b is the same for a BGR picture less its mean and for our picture of it. */
static void the_first_layer_takes_rgb_instead_of_bgr(void **state)
{
    (void)state;
    static const double mean[] = { 104, 117, 123 };
    i3d_weights googlenet;
    i3d_model *model;
    make_googlenet(&googlenet);
    assert_ok(i3d_model_inflate(&googlenet, 3, &model));
    const float *weight = values(model, "Conv3d_1a_7x7.weight");
    for (size_t o = 0; o < 64; o++) {
        double caffe = get(&googlenet, "conv1/7x7_s2/bias", o);
        double ours = values(model, "Conv3d_1a_7x7.beta")[o];
        for (size_t c = 0; c < 3; c++)
            for (size_t k = 0; k < 49; k++) {
                double pixel = (double)((o * 31 + c * 57 + k * 13) % 256); /* of BGR channel c */
                caffe += get(&googlenet, "conv1/7x7_s2/weight", (o * 3 + c) * 49 + k) *
                         (pixel - mean[c]);
                for (size_t t = 0; t < 7; t++)
                    ours += weight[((o * 3 + 2 - c) * 7 + t) * 49 + k] * (pixel / 127.5 - 1);
            }
        assert_float_equal(ours, caffe, 1e-2); /* of about 5000, in float32 */
    }
    i3d_model_free(model);
    i3d_weights_clear(&googlenet);
}

static void the_first_layer_of_flow_is_the_mean_over_channels(void **state)
{
    (void)state;
    i3d_weights googlenet;
    i3d_model *model;
    make_googlenet(&googlenet);
    assert_ok(i3d_model_inflate(&googlenet, 2, &model));
    const float *weight = values(model, "Conv3d_1a_7x7.weight"); /* [64, 2, 7, 7, 7] */
    for (size_t k = 0; k < 49; k++) {
        double sum = 0;
        for (size_t c = 0; c < 3; c++)
            sum += get(&googlenet, "conv1/7x7_s2/weight", c * 49 + k);
        assert_float_equal(weight[k], (float)(127.5 * sum / 3 / 7), 1e-4);
        assert_float_equal(weight[7 * 49 + k], weight[k], 0); /* y as x */
    }
    assert_float_equal(values(model, "Conv3d_1a_7x7.beta")[9], 9, 0);
    i3d_model_free(model);
    i3d_weights_clear(&googlenet);
}

static void what_is_no_googlenet_is_refused(void **state)
{
    (void)state;
    i3d_weights googlenet;
    i3d_model *model;
    make_googlenet(&googlenet);
    assert_fails(i3d_model_inflate(&googlenet, 4, &model), I3D_EINVAL, "3 (rgb) or 2 (flow)");
    i3d_tensor *tensor = (i3d_tensor *)i3d_weights_find(&googlenet, "inception_5b/5x5/weight");
    tensor->shape[2] = 3;
    assert_fails(i3d_model_inflate(&googlenet, 3, &model), I3D_EFORMAT, "inception_5b/5x5/weight");
    tensor->name[0] = 'X';
    assert_fails(i3d_model_inflate(&googlenet, 3, &model), I3D_EFORMAT,
                 "lack 'inception_5b/5x5/weight'");
    assert_null(model);
    i3d_weights_clear(&googlenet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_are_repeated_over_time_and_divided),
        cmocka_unit_test(of_a_5x5_kernel_the_middle_is_taken),
        cmocka_unit_test(the_first_layer_takes_rgb_instead_of_bgr),
        cmocka_unit_test(the_first_layer_of_flow_is_the_mean_over_channels),
        cmocka_unit_test(what_is_no_googlenet_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
