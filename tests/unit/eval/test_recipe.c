/* How a network is to be run, beside its weights. */
#include "test.h"

#include "base/file.h"
#include "eval/recipe.h"

static void a_recipe_is_read_as_it_was_written(void **state)
{
    (void)state;
    const char *folder = test_folder(), *const names[] = { "run", "Swing Baton", "ride_bike" };
    char path[128];
    i3d_recipe recipe = { I3D_HEAD_MAX, 1e-5, 16, 112, 0, 1 }, again;
    i3d_weights weights = { 0 };
    struct names read;
    assert_ok(i3d_recipe_add(&weights, &recipe, names, 3));
    snprintf(path, sizeof path, "%s/a.ckpt", folder);
    assert_ok(i3d_weights_write(path, &weights));
    i3d_weights_clear(&weights);
    assert_ok(i3d_weights_read(path, &weights));
    assert_ok(i3d_recipe_read(&weights, &again));
    assert_true(again.bn_epsilon == recipe.bn_epsilon);
    assert_true(again.head == I3D_HEAD_MAX && again.frames == 16 && again.size == 112);
    assert_true(again.resize == 0 && again.bgr == 1);
    assert_ok(recipe_names(&weights, &read));
    assert_int_equal(read.count, 3);
    for (int c = 0; c < 3; c++)
        assert_string_equal(read.items[c], names[c]);
    names_clear(&read);
    i3d_weights_clear(&weights);
    assert_ok(folder_remove(folder));
}

static void a_foreign_checkpoint_says_nothing(void **state)
{
    (void)state;
    i3d_weights weights = { 0 };
    i3d_recipe read;
    struct names names;
    assert_ok(i3d_recipe_read(&weights, &read));
    assert_int_equal(read.head, -1);
    assert_int_equal(read.frames, -1);
    assert_ok(recipe_names(&weights, &names));
    assert_int_equal(names.count, 0);
    i3d_recipe given = i3d_recipe_unknown();
    given.frames = 32;
    given.size = 112;
    i3d_recipe all = recipe_complete(&given);
    assert_int_equal(all.frames, 32);
    assert_int_equal(all.size, 112);
    assert_int_equal(all.resize, 128);
    assert_int_equal(all.head, I3D_HEAD_AVG);
}

static void numbers_out_of_range_are_refused(void **state)
{
    (void)state;
    i3d_weights weights = { 0 };
    i3d_recipe read;
    assert_ok(scalar_add(&weights, "i3d.frames", 1e9));
    assert_fails(i3d_recipe_read(&weights, &read), I3D_EFORMAT, "i3d.frames");
    i3d_weights_clear(&weights);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recipe_is_read_as_it_was_written),
        cmocka_unit_test(a_foreign_checkpoint_says_nothing),
        cmocka_unit_test(numbers_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
