#include "media.h"

#include "clip/annotation.h"

static const char good[] = "{\"labels\": [\"run\", \"sit\"], \"database\": {"
                           "\"b.1\": {\"subset\": \"training\", \"annotations\": {\"label\": "
                           "\"sit\", \"segment\": [1, 9]}},"
                           " \"a\": {\"subset\": \"validation\", \"annotations\": {\"label\": "
                           "\"run\", \"segment\": [1, 3]}},"
                           " \"c\": {\"subset\": \"testing\"}}}";

static void the_originals_form_is_read_in_its_order(void **state)
{
    (void)state;
    struct annotation annotation;
    put_text(at("a.json"), good);
    assert_ok(annotation_read(at("a.json"), &annotation));
    assert_int_equal(annotation.labels.count, 2);
    assert_string_equal(annotation.labels.items[1], "sit");
    assert_int_equal(annotation.count, 2);
    assert_string_equal(annotation.videos[0].name, "b.1");
    assert_int_equal(annotation.videos[0].label, 1);
    assert_int_equal(annotation.videos[0].subset, I3D_TRAINING);
    assert_string_equal(annotation.videos[1].name, "a");
    assert_int_equal(annotation.videos[1].subset, I3D_VALIDATION);
    annotation_clear(&annotation);
}

static void what_is_written_is_the_originals_text(void **state)
{
    (void)state;
    struct annotation annotation = { 0 };
    uint8_t *text;
    size_t bytes;
    assert_ok(names_add(&annotation.labels, "run"));
    assert_ok(annotation_add(&annotation, "v (1) \"&\" \xc3\xa9", 0, I3D_VALIDATION));
    annotation.videos[0].frames = 64;
    assert_ok(annotation_write(at("a.json"), &annotation));
    annotation_clear(&annotation);
    assert_ok(file_read(at("a.json"), &text, &bytes));
    assert_string_equal(
        (char *)text,
        "{\"labels\": [\"run\"], \"database\": {\"v (1) \\\"&\\\" \xc3\xa9\": {\"subset\": "
        "\"validation\", \"annotations\": {\"label\": \"run\", \"segment\": [1, 65]}}}}");
    memory_free(text);
}

static void broken_files_are_refused_with_what_is_wrong(void **state)
{
    (void)state;
#define VIDEO "\"subset\": \"training\", \"annotations\": {\"label\": \"run\"}"
    static const char *const cases[][2] = {
        { "", "not whole JSON" },
        { "{\"labels\": [\"run\"", "line 1" },
        { "[]", "no list 'labels'" },
        { "{\"labels\": \"run\", \"database\": {}}", "no list 'labels'" },
        { "{\"labels\": [], \"database\": {}}", "no list 'labels'" },
        { "{\"labels\": [1e999], \"database\": {}}", "not whole JSON" },
        { "{\"labels\": [99999999999999999999999], \"database\": {}}", "not whole JSON" },
        { "{\"labels\": [7], \"database\": {}}", "label 0 is not a string" },
        { "{\"labels\": [\"run\", \"run\"], \"database\": {}}", "there twice" },
        { "{\"labels\": [\"../run\"], \"database\": {}}", "'../run' is not the name" },
        { "{\"labels\": [\"run\"]}", "no object 'database'" },
        { "{\"labels\": [\"run\"], \"database\": []}", "no object 'database'" },
        { "{\"labels\": [\"run\"], \"database\": {\"a\": 1}}", "'a' has no 'subset'" },
        { "{\"labels\": [\"run\"], \"database\": {\"a\": {\"subset\": 1}}}", "no 'subset'" },
        { "{\"labels\": [\"run\"], \"database\": {\"a\": {\"subset\": \"training\"}}}",
          "no 'label'" },
        { "{\"labels\": [\"sit\"], \"database\": {\"a\": {" VIDEO "}}}", "not among 'labels'" },
        { "{\"labels\": [\"run\"], \"database\": {\"..\": {" VIDEO "}}}", "is not the name" },
        { "{\"labels\": [\"run\"], \"database\": {\"a/b\": {" VIDEO "}}}", "is not the name" },
        { "{\"labels\": [\"run\"], \"database\": {\"a\": {" VIDEO "}, \"a\": {" VIDEO "}}}",
          "duplicate" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct annotation annotation;
        put_text(at("a.json"), cases[i][0]);
        assert_fails(annotation_read(at("a.json"), &annotation), I3D_EFORMAT, cases[i][1]);
        assert_non_null(strstr(i3d_error(), "a.json"));
    }
}

static void a_file_cut_anywhere_is_refused(void **state)
{
    (void)state;
    for (size_t bytes = 0; bytes < sizeof good - 1; bytes++) {
        struct annotation annotation;
        assert_ok(file_write(at("a.json"), good, bytes));
        assert_int_equal(annotation_read(at("a.json"), &annotation), I3D_EFORMAT);
    }
}

static void any_byte_changed_gives_a_status(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good - 1; i++) {
        static const char changes[] = { '\0', '"', '/', '\xff' };
        struct annotation annotation;
        char text[sizeof good];
        memcpy(text, good, sizeof good);
        text[i] = changes[i % 4];
        assert_ok(file_write(at("a.json"), text, sizeof text - 1));
        i3d_status status = annotation_read(at("a.json"), &annotation);
        assert_true(status == I3D_OK || status == I3D_EFORMAT);
        annotation_clear(&annotation);
    }
}

static void two_videos_of_one_name_are_refused(void **state)
{
    (void)state;
    struct annotation annotation = { 0 };
    assert_ok(names_add(&annotation.labels, "run"));
    assert_ok(names_add(&annotation.labels, "sit"));
    assert_ok(annotation_add(&annotation, "a", 0, I3D_TRAINING));
    assert_ok(annotation_add(&annotation, "a", 1, I3D_TRAINING));
    assert_fails(annotation_write(at("a.json"), &annotation), I3D_EINVAL, "two videos");
    assert_false(file_exists(at("a.json")));
    annotation_clear(&annotation);
}

static void names_that_are_no_text_are_refused(void **state)
{
    (void)state;
    struct annotation annotation = { 0 };
    assert_ok(names_add(&annotation.labels, "run"));
    assert_ok(annotation_add(&annotation, "\xff", 0, I3D_TRAINING));
    assert_fails(annotation_write(at("a.json"), &annotation), I3D_EINVAL, "not UTF-8");
    annotation_clear(&annotation);
}

static void videos_are_found_in_any_case_and_the_others_named(void **state)
{
    (void)state;
    struct annotation annotation = { 0 };
    struct names missing;
    assert_ok(names_add(&annotation.labels, "HandStandPushups"));
    assert_ok(annotation_add(&annotation, "v_HandStand.1", 0, I3D_TRAINING));
    assert_ok(annotation_add(&annotation, "gone", 0, I3D_TRAINING));
    assert_ok(annotation_add(&annotation, "empty", 0, I3D_TRAINING));
    assert_ok(folder_make(at("HandstandPushups/v_Handstand.1")));
    assert_ok(folder_make(at("HandstandPushups/empty")));
    put_text(at("HandstandPushups/v_Handstand.1/n_frames"), "31\r\n");
    put_text(at("HandstandPushups/empty/n_frames"), "0");
    assert_ok(annotation_locate(&annotation, root, 2, 0, &missing));
    assert_int_equal(annotation.count, 1);
    assert_int_equal(annotation.videos[0].frames, 31);
    assert_int_equal(missing.count, 2);
    assert_string_equal(missing.items[0], "HandStandPushups/gone");
    assert_string_equal(missing.items[1], "HandStandPushups/empty");
    names_clear(&missing);
    annotation_clear(&annotation);
}

static void n_frames_must_be_a_number_of_frames(void **state)
{
    (void)state;
    static const char *const cases[] = { "", "x", "-1", "3.5", "nan", "inf", "1e99", "3 4", "0x" };
    struct annotation annotation = { 0 };
    struct names missing;
    assert_ok(names_add(&annotation.labels, "run"));
    assert_ok(annotation_add(&annotation, "a", 0, I3D_TRAINING));
    assert_ok(folder_make(at("run/a")));
    assert_fails(annotation_locate(&annotation, root, 1, 0, &missing), I3D_EIO,
                 "n_frames' is missing");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put_text(at("run/a/n_frames"), cases[i]);
        assert_fails(annotation_locate(&annotation, root, 1, 0, &missing), I3D_EFORMAT,
                     "run/a/n_frames");
    }
    put_text(at("run/a/n_frames"), "12.0"); /* as the original reads it */
    assert_ok(annotation_locate(&annotation, root, 1, 0, &missing));
    assert_int_equal(annotation.videos[0].frames, 12);
    annotation_clear(&annotation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_root(the_originals_form_is_read_in_its_order),
        test_in_root(what_is_written_is_the_originals_text),
        test_in_root(broken_files_are_refused_with_what_is_wrong),
        test_in_root(a_file_cut_anywhere_is_refused),
        test_in_root(any_byte_changed_gives_a_status),
        test_in_root(two_videos_of_one_name_are_refused),
        test_in_root(names_that_are_no_text_are_refused),
        test_in_root(videos_are_found_in_any_case_and_the_others_named),
        test_in_root(n_frames_must_be_a_number_of_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
