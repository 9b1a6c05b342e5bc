/* From weights under anyone's names into a model, and back. */
#include "test.h"

#include <i3d/checkpoint.h>

#include "base/file.h"
#include "base/memory.h"
#include "checkpoint/match.h"

enum { CLASSES = 5 };

/* Its values follow from the seed; drawing 12 million normal ones would take too long. Gammas are
 * one: DeepMind's names have none. */
static i3d_model *model_of(int channels, int classes, int seed)
{
    i3d_model *model;
    assert_ok(i3d_model_create(
        &(i3d_model_options){ .channels = channels, .classes = classes, .bn_epsilon = 1e-3 },
        &model));
    for (size_t p = 0; p < i3d_model_param_count(model); p++) {
        const i3d_param *param = i3d_model_param(model, p);
        float *data = i3d_model_data(model) + param->offset;
        for (size_t i = 0; param->role != I3D_PARAM_GAMMA && i < param->count; i++)
            data[i] = (float)(i % 99991 + p) * (float)seed;
    }
    return model;
}

static void assert_same(i3d_model *a, i3d_model *b)
{
    assert_int_equal(i3d_model_data_count(a), i3d_model_data_count(b));
    assert_memory_equal(i3d_model_data(a), i3d_model_data(b),
                        i3d_model_data_count(a) * sizeof(float));
}

/* Loads the weights into a fresh model and compares it. */
static void assert_loads(const i3d_weights *weights, i3d_model *expected)
{
    i3d_match match;
    i3d_model *model = model_of(i3d_model_get_options(expected)->channels,
                                i3d_model_get_options(expected)->classes, 99);
    assert_ok(i3d_model_load(model, weights, false, &match));
    assert_same(model, expected);
    assert_int_equal(match.loaded, i3d_model_param_count(model));
    assert_int_equal(match.missing + match.extra + match.wrong_shape, 0);
    assert_string_equal(match.table, "");
    i3d_match_clear(&match);
    i3d_model_free(model);
}

static void a_model_written_and_read_is_the_same(void **state)
{
    (void)state;
    static const char *const extensions[] = { "ckpt", "pt", "safetensors", "npz" };
    int channels, classes;
    i3d_weights weights, named, again;
    i3d_model *model = model_of(2, CLASSES, 1);
    const char *folder = test_folder();
    assert_ok(i3d_model_save(model, &weights));
    for (int i = 0; i < 4; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/a.%s", folder, extensions[i]);
        assert_ok(i3d_weights_convert(&weights, path, true, &named, NULL));
        assert_ok(i3d_weights_write(path, &named));
        assert_ok(i3d_weights_read(path, &again));
        assert_ok(i3d_weights_describe(&again, &channels, &classes));
        assert_int_equal(channels, 2);
        assert_int_equal(classes, CLASSES);
        assert_string_equal(i3d_weights_dialect(&again), i ? "PyTorch (piergiaj)" : "MindSpore");
        assert_loads(&again, model);
        i3d_weights_clear(&named);
        i3d_weights_clear(&again);
    }
    i3d_weights_clear(&weights);
    i3d_model_free(model);
}

/* The model's parameters as a program with this dialect would save them, behind `root`. */
static void save_as(i3d_model *model, enum dialect_index index, const char *root, i3d_weights *out)
{
    const struct dialect *dialect = &dialects[index];
    struct naming naming = { .dialect = dialect };
    snprintf(naming.root, sizeof naming.root, "%s", root);
    *out = (i3d_weights){ 0 };
    for (size_t p = 0; p < i3d_model_param_count(model); p++) {
        const i3d_param *param = i3d_model_param(model, p);
        const float *data = i3d_model_data(model) + param->offset;
        char name[DIALECT_NAME_BYTES];
        i3d_tensor *tensor;
        if (!naming_param(&naming, param, name))
            continue;
        int64_t s[5];
        memcpy(s, param->shape, sizeof s);
        bool last = dialect->channels_last && param->rank == 5;
        const int64_t turned[] = { s[2], s[3], s[4], s[1], s[0] };
        assert_ok(i3d_weights_add(out, name, I3D_F32, param->rank, last ? turned : s, &tensor));
        float *to = tensor->data;
        size_t window = last ? (size_t)(s[2] * s[3] * s[4]) : 1;
        size_t inputs = last ? (size_t)s[1] : 1, outputs = param->count / window / inputs;
        for (size_t k = 0; k < window; k++)
            for (size_t i = 0; i < inputs; i++)
                for (size_t o = 0; o < outputs; o++)
                    *to++ = data[(o * inputs + i) * window + k];
    }
}

static void every_dialect_is_recognised_by_its_names(void **state)
{
    (void)state;
    static const struct {
        enum dialect_index index;
        const char *root, *sample; /* a name as that program writes it */
    } cases[] = {
        { DIALECT_MINDSPORE, "", "Mixed_3b_b1a.bn.bn2d.moving_variance" },
        { DIALECT_MINDSPORE_NEW, "", "logits.logits_conv3d.bias" },
        { DIALECT_PIERGIAJ, "module.", "module.Mixed_4f.b3b.bn.running_mean" },
        { DIALECT_HASSONY2, "", "mixed_5c.branch_2.1.batch3d.weight" },
        { DIALECT_DEEPMIND, "RGB/inception_i3d/",
          "RGB/inception_i3d/Mixed_5b/Branch_2/Conv3d_0a_3x3/conv_3d/w" },
        { DIALECT_DEEPMIND, "", "Conv3d_2c_3x3/batch_norm/moving_mean" },
    };
    i3d_model *model = model_of(3, CLASSES, 2);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        i3d_weights weights;
        save_as(model, cases[i].index, cases[i].root, &weights);
        assert_non_null(i3d_weights_find(&weights, cases[i].sample));
        assert_string_equal(i3d_weights_dialect(&weights), dialects[cases[i].index].name);
        assert_loads(&weights, model);
        i3d_weights_clear(&weights);
    }
    i3d_model_free(model);
}

static void norms_without_a_gamma_get_ones(void **state)
{
    (void)state;
    i3d_weights weights;
    i3d_model *model = model_of(3, CLASSES, 3);
    const i3d_param *gamma = i3d_model_param(model, 1);
    assert_int_equal(gamma->role, I3D_PARAM_GAMMA);
    save_as(model, DIALECT_DEEPMIND, "Flow/inception_i3d/", &weights);
    i3d_model_data(model)[gamma->offset] = 7;
    assert_ok(i3d_model_load(model, &weights, false, NULL));
    assert_float_equal(i3d_model_data(model)[gamma->offset], 1, 0);
    i3d_weights_clear(&weights);
    i3d_model_free(model);
}

static void moments_and_counters_are_no_parameters(void **state)
{
    (void)state;
    i3d_weights weights;
    i3d_match match;
    i3d_tensor *tensor;
    i3d_model *model = model_of(3, CLASSES, 4);
    const int64_t shape[] = { 64, 3, 7, 7, 7 };
    assert_ok(i3d_model_save(model, &weights));
    assert_ok(
        i3d_weights_add(&weights, "moment1.Conv3d_1a_7x7.weight", I3D_F32, 5, shape, &tensor));
    assert_ok(i3d_weights_add(&weights, "global_step", I3D_I32, 0, NULL, &tensor));
    assert_ok(i3d_weights_add(&weights, "mystery", I3D_F32, 0, NULL, &tensor));
    assert_ok(i3d_model_load(model, &weights, false, &match));
    assert_int_equal(match.state, 2);
    assert_int_equal(match.extra, 1);
    assert_string_equal(match.table, "extra        mystery []\n");
    i3d_match_clear(&match);
    i3d_weights_clear(&weights);
    i3d_model_free(model);
}

static void another_class_count_is_told_with_both_numbers(void **state)
{
    (void)state;
    i3d_weights weights;
    i3d_match match;
    i3d_model *many = model_of(3, 51, 5), *few = model_of(3, CLASSES, 6);
    i3d_model *before = model_of(3, CLASSES, 6), *flow = model_of(2, 51, 7);
    assert_ok(i3d_model_save(many, &weights));
    assert_fails(i3d_model_load(few, &weights, false, NULL), I3D_EFORMAT,
                 "3 input channels and 51 classes, the network of 3 and 5");
    assert_same(few, before);
    assert_fails(i3d_model_load(flow, &weights, false, NULL), I3D_EFORMAT, "the network of 2");
    assert_ok(i3d_model_load(few, &weights, true, &match));
    assert_int_equal(match.wrong_shape, 2);
    assert_non_null(strstr(match.table, "wrong shape  logits_conv3d.bias [5], but the file has "
                                        "[51]\n"));
    const i3d_param *stem = i3d_model_param(few, 0);
    assert_memory_equal(i3d_model_data(few), i3d_model_data(many), stem->count * sizeof(float));
    const i3d_param *logits = i3d_model_find_param(few, "logits.weight");
    assert_memory_equal(i3d_model_data(few) + logits->offset,
                        i3d_model_data(before) + logits->offset, logits->count * sizeof(float));
    i3d_match_clear(&match);
    i3d_weights_clear(&weights);
    i3d_model_free(many);
    i3d_model_free(few);
    i3d_model_free(before);
    i3d_model_free(flow);
}

static void a_missing_parameter_is_named(void **state)
{
    (void)state;
    i3d_weights weights;
    i3d_model *model = model_of(3, CLASSES, 8);
    assert_ok(i3d_model_save(model, &weights));
    weights.tensors[5].name[0] = 'X'; /* Conv3d_2b_1x1.weight */
    assert_fails(i3d_model_load(model, &weights, false, NULL), I3D_EFORMAT,
                 "1 are missing in the weights and 0 of another shape: missing      "
                 "Conv3d_2b_1x1.weight [64, 64, 1, 1, 1]");
    i3d_weights_clear(&weights);
    i3d_model_free(model);
}

static void weights_of_something_else_are_no_i3ds(void **state)
{
    (void)state;
    int channels, classes;
    i3d_weights weights = { 0 };
    i3d_tensor *tensor;
    assert_ok(i3d_weights_add(&weights, "fc.weight", I3D_F32, 0, NULL, &tensor));
    assert_fails(i3d_weights_describe(&weights, &channels, &classes), I3D_EFORMAT,
                 "not those of an I3D");
    assert_ok(i3d_weights_add(&weights, "Conv3d_1a_7x7.weight", I3D_F32, 0, NULL, &tensor));
    assert_fails(i3d_weights_describe(&weights, &channels, &classes), I3D_EFORMAT,
                 "lack the logits");
    i3d_weights_clear(&weights);
}

static void strict_conversion_stands_for_nothing_unknown(void **state)
{
    (void)state;
    i3d_weights weights, out;
    i3d_match match;
    i3d_tensor *tensor;
    i3d_model *model = model_of(3, CLASSES, 9);
    assert_ok(i3d_model_save(model, &weights));
    assert_ok(i3d_weights_add(&weights, "global_step", I3D_I32, 0, NULL, &tensor));
    assert_ok(i3d_weights_convert(&weights, "a.pt", true, &out, NULL));
    assert_int_equal(out.count, i3d_model_param_count(model)); /* state goes into a .ckpt only */
    i3d_weights_clear(&out);
    assert_ok(i3d_weights_add(&weights, "mystery", I3D_F32, 0, NULL, &tensor));
    assert_fails(i3d_weights_convert(&weights, "a.pt", true, &out, NULL), I3D_EFORMAT, "mystery");
    assert_ok(i3d_weights_convert(&weights, "a.ckpt", false, &out, &match));
    assert_int_equal(out.count, weights.count);
    assert_int_equal(match.extra, 1);
    i3d_match_clear(&match);
    i3d_weights_clear(&out);
    i3d_weights_clear(&weights);
    i3d_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_written_and_read_is_the_same),
        cmocka_unit_test(every_dialect_is_recognised_by_its_names),
        cmocka_unit_test(norms_without_a_gamma_get_ones),
        cmocka_unit_test(moments_and_counters_are_no_parameters),
        cmocka_unit_test(another_class_count_is_told_with_both_numbers),
        cmocka_unit_test(a_missing_parameter_is_named),
        cmocka_unit_test(weights_of_something_else_are_no_i3ds),
        cmocka_unit_test(strict_conversion_stands_for_nothing_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
