/* A classifier whose network is a graph: exported here, run by ONNX Runtime. */
#include "test.h"

#include <i3d/eval.h>
#include <i3d/export.h>

#include "base/memory.h"
#include "network/onnxruntime/onnxruntime.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

enum { CLASSES = 3, FRAMES = 9, SIZE = 33, CLIP = 3 * FRAMES * SIZE * SIZE, COUNT = 4 };

static char path[] = "/tmp/i3d_graph_XXXXXX/net.onnx";
static i3d_model *model;
static float clips[COUNT * CLIP], wanted[COUNT * CLASSES];

static i3d_classifier_options options(void)
{
    return (i3d_classifier_options){ .checkpoint = path,
                                     .stream = I3D_RGB,
                                     .recipe = i3d_recipe_unknown(),
                                     .engine = "onnxruntime-cpu",
                                     .batch = COUNT,
                                     .threads = 1 };
}

static void export_graph(int batch, bool any_frames)
{
    static const char *const labels[CLASSES] = { "one", "two words", "three" };
    i3d_export_options wanted_file = i3d_export_defaults();
    wanted_file.batch = batch;
    wanted_file.any_frames = any_frames;
    wanted_file.frames = FRAMES;
    wanted_file.height = wanted_file.width = SIZE;
    wanted_file.resize = 40;
    wanted_file.bgr = true;
    wanted_file.labels = labels;
    assert_ok(i3d_export(model, &wanted_file, path));
}

static int setup(void **state)
{
    (void)state;
    const char *reason;
    if (onnxruntime_describe(&reason) != I3D_OK) {
        printf("skipped: %s\n", i3d_error());
        exit(77);
    }
    const i3d_model_options of = { .channels = 3, .classes = CLASSES, .bn_epsilon = 1e-3 };
    const i3d_network_options run = {
        .batch = COUNT, .frames = FRAMES, .height = SIZE, .width = SIZE, .threads = 1
    };
    i3d_network *network;
    char *slash = strrchr(path, '/');
    *slash = '\0';
    assert_non_null(mkdtemp(path));
    *slash = '/';
    assert_ok(i3d_model_create(&of, &model));
    i3d_model_initialize(model, 1, true);
    for (int i = 0; i < COUNT * CLIP; i++)
        clips[i] = (float)((i * 7919 + i / CLIP * 31) % 255) / 127.5f - 1;
    assert_ok(i3d_network_create(model, &run, &network));
    assert_ok(i3d_network_run(network, COUNT, clips, wanted));
    i3d_network_free(network);
    for (int c = 0; c < CLASSES; c++) /* so that no clip can stand for another */
        for (int n = 1; n < COUNT; n++)
            assert_true(fabsf(wanted[n * CLASSES + c] - wanted[c]) > 1e-4f * fabsf(wanted[c]));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    i3d_model_free(model);
    unlink(path);
    *strrchr(path, '/') = '\0';
    return rmdir(path);
}

static void check_logits(i3d_network *network, int count)
{
    float logits[COUNT * CLASSES], largest = 1;
    for (int i = 0; i < COUNT * CLASSES; i++)
        largest = fmaxf(largest, fabsf(wanted[i]));
    memset(logits, 0xff, sizeof logits); /* not numbers */
    assert_ok(i3d_network_run(network, count, clips, logits));
    for (int i = 0; i < count * CLASSES; i++)
        if (fabsf(logits[i] - wanted[i]) > 1e-5f * largest)
            fail_msg("logit %d is %g, not %g", i, (double)logits[i], (double)wanted[i]);
    for (int i = count * CLASSES; i < COUNT * CLASSES; i++)
        assert_true(isnan(logits[i]));
}

static void a_graph_tells_how_it_is_run(void **state)
{
    (void)state;
    i3d_classifier *classifier;
    i3d_classifier_options of = options();
    export_graph(0, true);
    assert_ok(i3d_classifier_open(&of, &classifier));
    i3d_recipe recipe = i3d_classifier_get_recipe(classifier);
    assert_int_equal(recipe.frames, FRAMES);
    assert_int_equal(recipe.size, SIZE);
    assert_int_equal(recipe.resize, 40);
    assert_int_equal(recipe.bgr, 1);
    assert_int_equal(recipe.head, I3D_HEAD_AVG);
    assert_int_equal(i3d_classifier_class_count(classifier), CLASSES);
    assert_string_equal(i3d_classifier_class_name(classifier, 1), "two words");
    check_logits(i3d_classifier_network(classifier), COUNT);
    i3d_classifier_close(classifier);
    /* What is asked for comes first, where the graph leaves it open. */
    of.recipe.frames = 16;
    of.recipe.resize = 0;
    assert_ok(i3d_classifier_open(&of, &classifier));
    assert_int_equal(i3d_classifier_get_recipe(classifier).frames, 16);
    assert_int_equal(i3d_classifier_get_recipe(classifier).resize, 0);
    i3d_classifier_close(classifier);
}

static void any_count_runs_in_any_batch(void **state)
{
    (void)state;
    const i3d_classifier_options of = options();
    for (int batch = 0; batch <= COUNT + 1; batch++) {
        i3d_classifier *classifier;
        export_graph(batch, false);
        assert_ok(i3d_classifier_open(&of, &classifier));
        for (int count = 1; count <= COUNT; count++)
            check_logits(i3d_classifier_network(classifier), count);
        i3d_classifier_close(classifier);
    }
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    i3d_classifier *classifier;
    i3d_classifier_options of = options();
    export_graph(2, false);
    of.stream = I3D_FLOW;
    assert_fails(i3d_classifier_open(&of, &classifier), I3D_EINVAL, "3 input channels");
    of = options();
    of.recipe.size = 64;
    assert_fails(i3d_classifier_open(&of, &classifier), I3D_EINVAL, "33 rows, not 64");
    of = options();
    of.precision = I3D_PRECISION_BF16;
    assert_fails(i3d_classifier_open(&of, &classifier), I3D_EINVAL, "precision");
    of = options();
    of.engine = "onnxruntime-abacus";
    assert_fails(i3d_classifier_open(&of, &classifier), I3D_EINVAL, "'onnxruntime-abacus'");
    of.engine = "onnxruntime-cpu";
    of.batch = 0;
    assert_fails(i3d_classifier_open(&of, &classifier), I3D_EINVAL, "0 clips");
    assert_null(classifier);
}

static void a_lack_of_memory_is_survived(void **state)
{
    (void)state;
    const i3d_network_options of = { .engine = "onnxruntime-cpu", .batch = COUNT, .threads = 1 };
    i3d_status status = I3D_ENOMEM;
    i3d_network *network;
    long n = 1;
    export_graph(2, false);
    for (; status != I3D_OK; n++) {
        memory_fail_at(n);
        status = i3d_network_open(path, &of, &network);
        memory_fail_at(0);
        assert_true(status == I3D_OK || (status == I3D_ENOMEM && !network));
    }
    assert_true(n > 3);
    check_logits(network, 3);
    i3d_network_free(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_graph_tells_how_it_is_run),
        cmocka_unit_test(any_count_runs_in_any_batch),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(a_lack_of_memory_is_survived),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
