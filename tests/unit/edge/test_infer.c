#include "test.h"

#include <i3d/edge.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/talk.h"

enum { BATCH = 2, FILES = 3, T = 8, SIZE = 32, CLASSES = 5, CLIP = 3 * T * SIZE * SIZE };

static char root[64];
static i3d_classifier *classifier;
static i3d_classifier_options network = { .stream = I3D_RGB, .batch = BATCH };
static float *clips; /* [FILES, BATCH, CLIP] */
static int runs;     /* of the network, since make_all() */

__attribute__((format(printf, 1, 2))) static const char *at(const char *format, ...)
{
    static char paths[4][256];
    static int next;
    char *path = paths[next++ % 4];
    int length = snprintf(path, sizeof paths[0], "%s/", root);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(path + length, sizeof paths[0] - (size_t)length, format, arguments);
    va_end(arguments);
    return path;
}

static void open_network(int head)
{
    i3d_classifier_close(classifier);
    network.recipe = i3d_recipe_unknown();
    network.recipe.head = head;
    network.recipe.frames = T;
    network.recipe.size = SIZE;
    network.checkpoint = strdup(at("net.ckpt"));
    assert_ok(i3d_classifier_open(&network, &classifier));
}

static int make_all(void **state)
{
    (void)state;
    const i3d_model_options options = { 3, CLASSES, I3D_HEAD_AVG, 1e-3 };
    i3d_model *model;
    i3d_weights weights;
    struct random random = random_for(5, RANDOM_TRIAL, 0, 0);
    snprintf(root, sizeof root, "%s", test_folder());
    assert_ok(i3d_model_create(&options, &model));
    i3d_model_initialize(model, 3, true);
    assert_ok(i3d_model_save(model, &weights));
    assert_ok(i3d_weights_write(at("net.ckpt"), &weights));
    i3d_weights_clear(&weights);
    i3d_model_free(model);
    assert_ok(folder_make(at("clips")));
    assert_ok(memory_get((size_t)FILES * BATCH * CLIP, sizeof *clips, &clips));
    for (size_t i = 0; i < (size_t)FILES * BATCH * CLIP; i++)
        clips[i] = (float)(random_unit(&random) * 2 - 1);
    for (int f = 0; f < FILES; f++)
        assert_ok(file_write(at("clips/s_bsrgb_%d.bin", f + 1), clips + (size_t)f * BATCH * CLIP,
                             sizeof *clips * BATCH * CLIP));
    assert_ok(file_write(at("clips/readme.txt"), "no clips", 8));
    open_network(I3D_HEAD_AVG);
    return 0;
}

static int remove_all(void **state)
{
    (void)state;
    i3d_progress_to(NULL, NULL);
    interrupt_clear();
    i3d_classifier_close(classifier);
    classifier = NULL;
    free((char *)network.checkpoint);
    memory_free(clips);
    return folder_remove(root) == I3D_OK ? 0 : -1;
}

static i3d_status infer(i3d_edge_timing *timing)
{
    return i3d_edge_infer(classifier, &network, at("clips"), root, timing);
}

/* Each file's answer is what the network says of its clips. */
static void assert_answers(void)
{
    float wanted[BATCH * CLASSES];
    for (int f = 0; f < FILES; f++) {
        uint8_t *found;
        size_t bytes;
        assert_ok(i3d_network_run(i3d_classifier_network(classifier), BATCH,
                                  clips + (size_t)f * BATCH * CLIP, wanted));
        assert_ok(file_read(at("result_Files/s_bsrgb_%d_0.bin", f + 1), &found, &bytes));
        assert_int_equal(bytes, sizeof wanted);
        assert_memory_equal(found, wanted, sizeof wanted);
        memory_free(found);
    }
    assert_false(file_exists(at("result_Files/.rgb")));
}

static void answers_and_timing_have_the_originals_form(void **state)
{
    (void)state;
    i3d_edge_timing timing;
    char words[128];
    uint8_t *text;
    size_t bytes;
    assert_ok(infer(&timing));
    assert_int_equal(timing.count, FILES);
    assert_int_equal(timing.finished_before, 0);
    assert_true(timing.milliseconds > 0);
    assert_answers();
    assert_ok(file_read(at("time_Result/test_perform_static.txt"), &text, &bytes));
    snprintf(words, sizeof words, "NN inference cost average time: %g ms of infer_count 3\n",
             timing.milliseconds);
    assert_string_equal((char *)text, words);
    memory_free(text);
}

/* Stops the run behind its first file. */
static void stop(const i3d_progress *progress, void *context)
{
    (void)context;
    runs += strcmp(progress->what, "inferring") == 0;
    if (progress->done == 1)
        i3d_interrupt();
}

static void stop_after_one(void)
{
    i3d_edge_timing timing;
    struct names names;
    i3d_progress_to(stop, NULL);
    runs = 0;
    assert_int_equal(infer(&timing), I3D_EINTERRUPTED);
    assert_int_equal(runs, 1);
    i3d_progress_to(NULL, NULL);
    interrupt_clear();
    assert_ok(folder_list(at("result_Files"), &names));
    assert_int_equal(names.count, 0);
    names_clear(&names);
}

static void a_stopped_run_goes_on(void **state)
{
    (void)state;
    i3d_edge_timing timing;
    stop_after_one();
    assert_ok(infer(&timing));
    assert_int_equal(timing.finished_before, 1);
    assert_int_equal(timing.count, FILES - 1);
    assert_answers();
    assert_ok(infer(&timing)); /* what is done is replaced, not gone on with */
    assert_int_equal(timing.count, FILES);
}

static void a_stopped_run_of_something_else_is_forgotten(void **state)
{
    (void)state;
    i3d_edge_timing timing;
    stop_after_one();
    free((char *)network.checkpoint);
    open_network(I3D_HEAD_MAX);
    assert_ok(infer(&timing));
    assert_int_equal(timing.count, FILES);
    assert_answers();

    /* Other clips. */
    assert_ok(folder_remove(at("result_Files")));
    stop_after_one();
    assert_int_equal(rename(at("clips"), at("old")), 0);
    assert_ok(folder_make(at("clips")));
    for (int f = 0; f < FILES; f++)
        assert_ok(
            file_write(at("clips/s_bsrgb_%d.bin", f + 1), clips, sizeof *clips * BATCH * CLIP));
    assert_ok(infer(&timing));
    assert_int_equal(timing.count, FILES);
}

static void two_runs_at_once_are_refused(void **state)
{
    (void)state;
    i3d_edge_timing timing;
    struct lock lock;
    assert_ok(folder_make(at("result_Files/.rgb")));
    assert_ok(lock_take(at("result_Files/.rgb"), &lock));
    assert_fails(infer(&timing), I3D_EIO, "another run is writing to");
    lock_release(&lock);
    assert_ok(infer(&timing));
}

static void files_that_are_no_batches_are_refused_before_anything_runs(void **state)
{
    (void)state;
    i3d_edge_timing timing;
    assert_ok(file_write(at("clips/s_bsrgb_9.bin"), clips, sizeof *clips * BATCH * CLIP - 1));
    assert_fails(infer(&timing), I3D_EFORMAT, "s_bsrgb_9.bin' has 196607 bytes, not the 196608");
    assert_ok(file_write(at("clips/s_bsrgb_9.bin"), clips, 0));
    assert_fails(infer(&timing), I3D_EFORMAT, "has 0 bytes");
    assert_int_equal(unlink(at("clips/s_bsrgb_9.bin")), 0);
    assert_int_equal(symlink(at("clips/s_bsrgb_1.bin"), at("clips/s_bsrgb_1.more.bin")), 0);
    assert_fails(infer(&timing), I3D_EINVAL, "would both be answered as 's_bsrgb_1_0.bin'");
    assert_ok(folder_make(at("empty")));
    assert_fails(i3d_edge_infer(classifier, &network, at("empty"), root, &timing), I3D_EINVAL,
                 "holds no .bin");
    assert_fails(i3d_edge_infer(classifier, &network, at("none"), root, &timing), I3D_EIO, "none");
    assert_false(file_exists(at("result_Files")));
}

#define fresh(test) cmocka_unit_test_setup_teardown(test, make_all, remove_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh(answers_and_timing_have_the_originals_form),
        fresh(a_stopped_run_goes_on),
        fresh(a_stopped_run_of_something_else_is_forgotten),
        fresh(two_runs_at_once_are_refused),
        fresh(files_that_are_no_batches_are_refused_before_anything_runs),
    };
    return cmocka_run_group_tests_name("a network over files", tests, NULL, NULL);
}
