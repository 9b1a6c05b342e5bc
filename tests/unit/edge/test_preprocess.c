#include "../clip/media.h"

#include <i3d/edge.h>

#include "wire/json.h"
#include "wire/npy.h"

enum { T = 4, SIZE = 24, VIDEOS = 3, CLIPS = 2, BATCH = 4, CLIP = 3 * T * SIZE * SIZE };

static i3d_dataset *dataset;
static i3d_loader *loader;
static i3d_edge_place place = { .root = root, .dataset = "set", .stream = I3D_RGB };

static int open_loader(void **state)
{
    make_root(state);
    for (int v = 0; v < VIDEOS; v++) {
        char name[32];
        snprintf(name, sizeof name, "%s/v%d", v % 2 ? "sit" : "run", v);
        put_video(name, 9 + v, 40, 32, false);
    }
    put_text(at("a.json"),
             "{\"labels\": [\"run\", \"sit\"], \"database\": {"
             "\"v0\": {\"subset\": \"validation\", \"annotations\": {\"label\": \"run\"}}, "
             "\"v1\": {\"subset\": \"validation\", \"annotations\": {\"label\": \"sit\"}}, "
             "\"v2\": {\"subset\": \"validation\", \"annotations\": {\"label\": \"run\"}}}}");
    const i3d_dataset_options data = {
        .annotation = at("a.json"), .root = at("jpg"), .stream = I3D_RGB, .subset = I3D_VALIDATION
    };
    assert_ok(i3d_dataset_open(&data, &dataset));
    i3d_loader_options options = { .clip = i3d_clip_defaults(), .batch = BATCH, .workers = 2 };
    options.clip.training = false;
    options.clip.frames = T;
    options.clip.size = SIZE;
    options.clip.resize = 28;
    options.clip.clips_per_video = CLIPS;
    assert_ok(i3d_loader_create(dataset, &options, &loader));
    return 0;
}

static int close_loader(void **state)
{
    i3d_progress_to(NULL, NULL);
    interrupt_clear();
    i3d_loader_free(loader);
    i3d_dataset_close(dataset);
    return remove_root(state);
}

static i3d_status preprocess(int *files, long *clips)
{
    return i3d_edge_preprocess(&place, loader, dataset, files, clips);
}

static uint8_t *read_all(const char *path, size_t wanted)
{
    uint8_t *data;
    size_t bytes;
    assert_ok(file_read(path, &data, &bytes));
    assert_int_equal(bytes, wanted);
    return data;
}

static void clips_are_the_loaders_and_filling_is_zero(void **state)
{
    (void)state;
    int files;
    long clips;
    const i3d_batch *batch;
    assert_ok(preprocess(&files, &clips));
    assert_int_equal(files, 2);
    assert_int_equal(clips, VIDEOS * CLIPS);
    assert_ok(i3d_loader_start(loader, 0, 0));
    for (int f = 0; f < files; f++) {
        uint8_t *data = read_all(at("preprocess_Result/data/set/rgb/set_bsrgb_%d.bin", f + 1),
                                 sizeof(float) * BATCH * CLIP);
        assert_ok(i3d_loader_next(loader, &batch));
        assert_int_equal(batch->count, f ? 2 : 4);
        size_t taken = sizeof(float) * CLIP * (size_t)batch->count;
        assert_memory_equal(data, batch->data, taken);
        for (size_t i = taken; i < sizeof(float) * BATCH * CLIP; i++)
            assert_int_equal(data[i], 0);
        memory_free(data);
    }
    struct names names;
    assert_ok(folder_list(at("preprocess_Result/data/set/rgb"), &names));
    assert_int_equal(names.count, 2); /* other programs read every file of the folder */
    names_clear(&names);
}

static void labels_and_manifest_tell_what_is_in_the_files(void **state)
{
    (void)state;
    int files;
    long clips;
    uint8_t *data;
    size_t bytes;
    struct npy npy;
    json_t *manifest;
    const int32_t wanted[2 * BATCH] = { 0, 0, 1, 1, 0, 0, -1, -1 };
    assert_ok(preprocess(&files, &clips));
    assert_ok(file_read(at("preprocess_Result/label/set/rgb/label_bsrgb4.npy"), &data, &bytes));
    assert_ok(npy_parse((struct bytes){ data, bytes }, &npy));
    assert_string_equal(npy.type, "<i4");
    assert_true(npy.rank == 2 && npy.shape[0] == 2 && npy.shape[1] == BATCH);
    assert_memory_equal(npy.data.at, wanted, sizeof wanted);
    memory_free(data);
    assert_ok(json_read(at("preprocess_Result/label/set/rgb/manifest.json"), &manifest));
    char *text = json_dumps(manifest, JSON_COMPACT);
    assert_string_equal(text, "{\"dataset\":\"set\",\"mode\":\"rgb\",\"clips\":6,"
                              "\"shape\":[4,3,4,24,24],\"classes\":[\"run\",\"sit\"],"
                              "\"batches\":[[\"v0\",\"v0\",\"v1\",\"v1\"],[\"v2\",\"v2\"]]}");
    free(text);
    json_decref(manifest);
}

static void clips_that_are_there_are_not_touched(void **state)
{
    (void)state;
    int files;
    long clips;
    assert_ok(folder_make(at("preprocess_Result/data/set/rgb")));
    put_text(at("preprocess_Result/data/set/rgb/mine"), "mine");
    assert_fails(preprocess(&files, &clips), I3D_EINVAL, "is there already");
    memory_free(read_all(at("preprocess_Result/data/set/rgb/mine"), 4));
    assert_false(file_exists(at("preprocess_Result/label")));
}

static void stop(const i3d_progress *progress, void *context)
{
    (void)context;
    if (strcmp(progress->what, "preprocessing") == 0 && progress->done < progress->total)
        i3d_interrupt();
}

static void a_run_that_is_stopped_leaves_nothing(void **state)
{
    (void)state;
    int files;
    long clips;
    struct names names;
    i3d_progress_to(stop, NULL);
    assert_int_equal(preprocess(&files, &clips), I3D_EINTERRUPTED);
    assert_ok(folder_list(at("preprocess_Result/data/set"), &names));
    assert_int_equal(names.count, 0);
    names_clear(&names);
    i3d_progress_to(NULL, NULL);
    interrupt_clear();
    assert_ok(preprocess(&files, &clips));
    assert_int_equal(files, 2);
}

static void a_bad_picture_leaves_nothing(void **state)
{
    (void)state;
    int files;
    long clips;
    put_text(at("jpg/run/v2/image_00001.jpg"), "no picture");
    assert_fails(preprocess(&files, &clips), I3D_EFORMAT, "image_00001.jpg");
    assert_false(file_exists(at("preprocess_Result/data/set/rgb")));
}

static void a_name_that_leads_elsewhere_is_refused(void **state)
{
    (void)state;
    int files;
    long clips;
    i3d_edge_place other = place;
    other.dataset = "../set";
    assert_fails(i3d_edge_preprocess(&other, loader, dataset, &files, &clips), I3D_EINVAL,
                 "cannot name files");
}

#define fresh(test) cmocka_unit_test_setup_teardown(test, open_loader, close_loader)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh(clips_are_the_loaders_and_filling_is_zero),
        fresh(labels_and_manifest_tell_what_is_in_the_files),
        fresh(clips_that_are_there_are_not_touched),
        fresh(a_run_that_is_stopped_leaves_nothing),
        fresh(a_bad_picture_leaves_nothing),
        fresh(a_name_that_leads_elsewhere_is_refused),
    };
    return cmocka_run_group_tests_name("clips as files", tests, NULL, NULL);
}
