#include "test.h"

#include <i3d/checkpoint.h>

#include "base/file.h"
#include "base/memory.h"

static i3d_model *model_of(int channels, int classes, uint64_t seed)
{
    i3d_model *model;
    assert_ok(i3d_model_create(
        &(i3d_model_options){ .channels = channels, .classes = classes, .bn_epsilon = 1e-3 },
        &model));
    i3d_model_initialize(model, seed, false);
    return model;
}

static void assert_same(i3d_model *a, i3d_model *b)
{
    assert_int_equal(i3d_model_data_count(a), i3d_model_data_count(b));
    assert_memory_equal(i3d_model_data(a), i3d_model_data(b),
                        i3d_model_data_count(a) * sizeof(float));
}

static void a_model_written_and_read_is_the_same(void **state)
{
    (void)state;
    char path[128];
    int channels, classes;
    i3d_match match;
    i3d_weights weights, again;
    i3d_model *model = model_of(2, 5, 1), *copy = model_of(2, 5, 2);
    snprintf(path, sizeof path, "%s/a.ckpt", test_folder());
    assert_ok(i3d_model_save(model, &weights));
    assert_ok(i3d_weights_write(path, &weights));
    assert_ok(i3d_weights_read(path, &again));
    assert_ok(i3d_weights_describe(&again, &channels, &classes));
    assert_int_equal(channels, 2);
    assert_int_equal(classes, 5);
    assert_ok(i3d_model_load(copy, &again, false, &match));
    assert_same(model, copy);
    assert_int_equal(match.loaded, i3d_model_param_count(model));
    assert_int_equal(match.missing + match.extra + match.wrong_shape, 0);
    assert_string_equal(match.table, "");
    i3d_match_clear(&match);
    i3d_weights_clear(&weights);
    i3d_weights_clear(&again);
    i3d_model_free(model);
    i3d_model_free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_written_and_read_is_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
