#include "small.h"

#include "base/file.h"

#include <i3d/checkpoint.h>
#include <i3d/export.h>

static const char *const formats[] = { "net.onnx", "net.mindir", "net.air" };
enum { FORMATS = sizeof formats / sizeof formats[0], READABLE = 2 };

static char *at(const char *folder, const char *name)
{
    char *path;
    assert_ok(path_join(&path, folder, name));
    return path;
}

/* The whole network: what a reader asks for. */
static i3d_model *whole_model(int channels, i3d_head head)
{
    i3d_model_options options = { channels, 5, head, 1e-3 };
    i3d_model *model;
    assert_ok(i3d_model_create(&options, &model));
    i3d_model_initialize(model, 3, true);
    return model;
}

static void a_reader_gets_the_parameters_back(void **state)
{
    (void)state;
    i3d_model *model = whole_model(3, I3D_HEAD_AVG), *copy = whole_model(3, I3D_HEAD_AVG);
    i3d_export_options options = i3d_export_defaults();
    const char *folder = test_folder();
    for (int f = 0; f < READABLE; f++) {
        char *path = at(folder, formats[f]);
        i3d_weights weights;
        i3d_match match;
        memset(copy->data, 0, copy->data_count * sizeof *copy->data);
        assert_ok(i3d_export(model, &options, path));
        assert_ok(i3d_weights_read(path, &weights));
        assert_ok(i3d_model_load(copy, &weights, false, &match));
        assert_int_equal(match.loaded, model->param_count);
        assert_int_equal(match.extra, 0);
        assert_memory_equal(copy->data, model->data, model->data_count * sizeof *model->data);
        i3d_match_clear(&match);
        i3d_weights_clear(&weights);
        memory_free(path);
    }
    assert_ok(folder_remove(folder));
    i3d_model_free(model);
    i3d_model_free(copy);
}

static void an_export_differs_from_another_network_than_its_own(void **state)
{
    (void)state;
    i3d_model *model = whole_model(2, I3D_HEAD_MAX);
    i3d_export_options options = i3d_export_defaults();
    const char *folder = test_folder();
    char *path = at(folder, "net.onnx");
    double difference;
    small_draw(model);
    options.frames = 8;
    options.height = options.width = 32;
    options.fold_bn = true;
    assert_ok(i3d_export(model, &options, path));
    assert_ok(i3d_export_verify(model, &options, path, &difference));
    assert_true(difference < 1e-3);

    model->data[0] *= 2;
    assert_ok(i3d_export_verify(model, &options, path, &difference));
    assert_true(difference > 1e-3);
    memory_free(path);
    assert_ok(folder_remove(folder));
    i3d_model_free(model);
}

static void what_a_format_cannot_do_is_refused(void **state)
{
    (void)state;
    i3d_model *model = small_model(3, I3D_HEAD_AVG);
    i3d_export_options options = small_options();
    assert_fails(i3d_export(model, &options, "net.pb"), I3D_EINVAL, ".onnx, .mindir or .air");
    assert_fails(i3d_export(model, &options, "a.onnx/net"), I3D_EINVAL, ".onnx, .mindir or .air");
    options.any_frames = true;
    assert_fails(i3d_export(model, &options, "net.mindir"), I3D_EINVAL, "fixed number of frames");
    options.frames = 8;
    assert_fails(i3d_export(model, &options, "net.onnx"), I3D_EINVAL, "needs 9 at least");
    options.batch = -1;
    assert_fails(i3d_export(model, &options, "net.onnx"), I3D_EINVAL, "-1 clips");
    i3d_model_free(model);
}

/* The file is there whole or not at all, whichever request for memory fails. */
static void without_memory_nothing_is_left(void **state)
{
    (void)state;
    i3d_model *model = small_model(3, I3D_HEAD_AVG);
    i3d_export_options options = small_options();
    const char *const labels[3] = { "walk", "run", "stand" };
    const char *folder = test_folder();
    options.fold_bn = true;
    options.labels = labels;
    for (int f = 0; f < FORMATS; f++) {
        char *path = at(folder, formats[f]);
        i3d_status status = I3D_ENOMEM;
        for (long n = 1; status != I3D_OK; n++) {
            struct names names;
            memory_fail_at(n);
            status = i3d_export(model, &options, path);
            memory_fail_at(0);
            assert_true(status == I3D_OK || status == I3D_ENOMEM);
            assert_ok(folder_list(folder, &names));
            assert_int_equal(names.count, status == I3D_OK ? 1 : 0);
            names_clear(&names);
        }
        assert_int_equal(unlink(path), 0);
        memory_free(path);
    }
    assert_ok(folder_remove(folder));
    i3d_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_gets_the_parameters_back),
        cmocka_unit_test(an_export_differs_from_another_network_than_its_own),
        cmocka_unit_test(what_a_format_cannot_do_is_refused),
        cmocka_unit_test(without_memory_nothing_is_left),
    };
    return cmocka_run_group_tests_name("exported files", tests, NULL, NULL);
}
