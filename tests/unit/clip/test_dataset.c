#include "media.h"

#include <i3d/clip.h>

#define ENTRY(video, subset, label)                                                                \
    "\"" video "\": {\"subset\": \"" subset "\", \"annotations\": {\"label\": \"" label "\"}}"

static i3d_dataset *dataset;

static i3d_status open_dataset(const char *database, i3d_subset subset, bool strict)
{
    char text[1024];
    snprintf(text, sizeof text, "{\"labels\": [\"Run\", \"Sit\", \"Fly\"], \"database\": {%s}}",
             database);
    put_text(at("a.json"), text);
    assert_ok(folder_make(at("jpg")));
    return i3d_dataset_open(
        &(i3d_dataset_options){
            .annotation = at("a.json"), .root = at("jpg"), .subset = subset, .strict = strict },
        &dataset);
}

static void put_empty_video(const char *name, int frames)
{
    assert_ok(folder_make(at("jpg/%s", name)));
    char folder[128];
    snprintf(folder, sizeof folder, "jpg/%s", name);
    put_frames(folder, frames);
}

static void the_videos_that_are_there_are_listed_in_the_annotations_order(void **state)
{
    (void)state;
    put_empty_video("run/B", 3);
    put_empty_video("Sit/a", 3);
    put_empty_video("Sit/hollow", 0);
    assert_ok(open_dataset(
        ENTRY("b", "training", "Run") "," ENTRY("a", "training", "Sit") "," ENTRY(
            "gone", "training", "Sit") "," ENTRY("hollow", "training",
                                                 "Sit") "," ENTRY("other", "validation", "Sit"),
        I3D_TRAINING, false));
    assert_int_equal(i3d_dataset_video_count(dataset), 2);
    assert_int_equal(i3d_dataset_missing_count(dataset), 2);
    assert_int_equal(i3d_dataset_class_count(dataset), 3);
    assert_string_equal(i3d_dataset_class_name(dataset, 1), "Sit");
    assert_string_equal(i3d_dataset_video_name(dataset, 0), "b");
    assert_int_equal(i3d_dataset_video_label(dataset, 1), 1);
    assert_non_null(strstr(talked, "missing: 'Sit/gone'"));
    assert_non_null(strstr(talked, "missing: 'Sit/hollow'"));
    assert_non_null(strstr(talked, "2 of the 4 training videos"));
    assert_non_null(strstr(talked, "the class 'Fly' has no training video"));
    i3d_dataset_close(dataset);
}

static void strictly_a_missing_video_is_an_error_and_all_are_told(void **state)
{
    (void)state;
    put_empty_video("Run/b", 3);
    assert_fails(open_dataset(ENTRY("b", "training", "Run") "," ENTRY(
                                  "x", "training", "Sit") "," ENTRY("y", "training", "Sit"),
                              I3D_TRAINING, true),
                 I3D_EIO, "2 of the 3 training videos");
    assert_null(dataset);
    assert_non_null(strstr(talked, "'Sit/x'"));
    assert_non_null(strstr(talked, "'Sit/y'"));
}

static void no_video_at_all_is_an_error_with_a_way_out(void **state)
{
    (void)state;
    assert_fails(open_dataset(ENTRY("x", "training", "Sit"), I3D_TRAINING, false), I3D_EINVAL,
                 "the root is the folder that holds the classes' folders");
    assert_fails(open_dataset(ENTRY("x", "training", "Sit"), I3D_VALIDATION, false), I3D_EINVAL,
                 "no video for validation");
    assert_fails(
        i3d_dataset_open(
            &(i3d_dataset_options){ .annotation = at("a.json"), .root = at("nowhere") }, &dataset),
        I3D_EIO, "nowhere");
    assert_fails(
        i3d_dataset_open(&(i3d_dataset_options){ .annotation = at("none.json"), .root = at("jpg") },
                         &dataset),
        I3D_EIO, "none.json");
}

static void a_folder_without_n_frames_is_an_error_with_a_way_out(void **state)
{
    (void)state;
    assert_ok(folder_make(at("jpg/Run/b")));
    assert_fails(open_dataset(ENTRY("b", "training", "Run"), I3D_TRAINING, false), I3D_EIO,
                 "i3d nframes");
}

static void an_unknown_preset_of_flow_from_videos_is_refused(void **state)
{
    (void)state;
    assert_fails(i3d_dataset_open(&(i3d_dataset_options){ .annotation = "a.json",
                                                          .root = "videos",
                                                          .stream = I3D_FLOW,
                                                          .video = true,
                                                          .flow_preset = "swift" },
                                  &dataset),
                 I3D_EINVAL, "swift");
}

static void a_file_that_is_no_store_is_named(void **state)
{
    (void)state;
    put_empty_video("Run/b", 3);
    put_text(at("jpg/Run/c.mkv"), "no store");
    i3d_status status = open_dataset(
        ENTRY("b", "training", "Run") "," ENTRY("c", "training", "Run"), I3D_TRAINING, false);
    assert_true(status == I3D_EFORMAT || status == I3D_EUNSUPPORTED); /* without FFmpeg */
    assert_non_null(strstr(i3d_error(), "jpg/Run/c.mkv"));
}

static void memory_that_runs_out_anywhere_is_a_status(void **state)
{
    (void)state;
    put_empty_video("Run/b", 3);
    i3d_status status = I3D_ENOMEM;
    for (long n = 1; status != I3D_OK; n++) {
        put_text(at("a.json"), "{\"labels\": [\"Run\"], \"database\": {" ENTRY(
                                   "b", "training", "Run") "," ENTRY("c", "training", "Run") "}}");
        i3d_dataset_options options = { .annotation = at("a.json"), .root = at("jpg") };
        memory_fail_at(n);
        status = i3d_dataset_open(&options, &dataset);
        memory_fail_at(0);
        assert_true(status == I3D_OK || status == I3D_ENOMEM);
        assert_true(n < 1000);
    }
    i3d_dataset_close(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_root(the_videos_that_are_there_are_listed_in_the_annotations_order),
        test_in_root(strictly_a_missing_video_is_an_error_and_all_are_told),
        test_in_root(no_video_at_all_is_an_error_with_a_way_out),
        test_in_root(a_folder_without_n_frames_is_an_error_with_a_way_out),
        test_in_root(an_unknown_preset_of_flow_from_videos_is_refused),
        test_in_root(a_file_that_is_no_store_is_named),
        test_in_root(memory_that_runs_out_anywhere_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
