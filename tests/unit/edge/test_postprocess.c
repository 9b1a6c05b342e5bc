#include "test.h"

#include <i3d/edge.h>

#include "base/file.h"
#include "base/memory.h"
#include "wire/buffer.h"
#include "wire/npy.h"

#include <math.h>

enum { BATCH = 3, BATCHES = 2, CLASSES = 4 };

static char root[64];
static const i3d_edge_place place = { .root = root, .dataset = "set", .stream = I3D_FLOW };

/* Two clips of "a", one of "b", one of "c"; then two that fill up. */
static const char manifest[] =
    "{\"dataset\": \"set\", \"mode\": \"flow\", \"clips\": 4, \"shape\": [3, 2, 8, 32, 32], "
    "\"classes\": [\"run\", \"sit\", \"fall\"], \"batches\": [[\"a\", \"a\", \"b\"], [\"c\"]]}";
static const int32_t labels[BATCHES * BATCH] = { 2, 2, 0, 1, -1, -1 };
static const float logits[BATCHES][BATCH * CLASSES] = {
    { 1, 2, 3, 0, 3, 0, 5, 1, 7, 8, 6, 5 },
    { 0, 9, 0, 0, NAN, 0, 0, 0, 0, 0, 0, INFINITY },
};

static const char *at(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

static const char *const manifest_name = "preprocess_Result/label/set/flow/manifest.json";
static const char *const label_name = "preprocess_Result/label/set/flow/label_bsflow3.npy";
static const char *const second_name = "result_Files/set_bsflow_2_0.bin";

static void put_labels(const char *type, int64_t rows, int64_t columns)
{
    struct buffer file = { 0 };
    const int64_t shape[] = { rows, columns };
    assert_ok(npy_header(&file, type, 2, shape));
    assert_ok(buffer_add(&file, labels, sizeof labels));
    assert_ok(file_write(at(label_name), file.data, file.count));
    buffer_clear(&file);
}

static void put_text(const char *name, const char *text)
{
    assert_ok(file_write(at(name), text, strlen(text)));
}

static int make_all(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "%s", test_folder());
    assert_ok(folder_make(at("result_Files")));
    assert_ok(folder_make(at("preprocess_Result/label/set/flow")));
    put_text(manifest_name, manifest);
    put_labels("<i4", BATCHES, BATCH);
    assert_ok(file_write(at("result_Files/set_bsflow_1_0.bin"), logits[0], sizeof logits[0]));
    assert_ok(file_write(at(second_name), logits[1], sizeof logits[1]));
    return 0;
}

static int remove_all(void **state)
{
    (void)state;
    return folder_remove(root) == I3D_OK ? 0 : -1;
}

static void videos_are_scored_and_filling_is_not(void **state)
{
    (void)state;
    i3d_scores scores;
    assert_ok(i3d_edge_postprocess(&place, &scores));
    assert_int_equal(scores.videos, 3);
    assert_int_equal(scores.classes, CLASSES);
    const float wanted[] = { 2, 1, 4, .5, 7, 8, 6, 5, 0, 9, 0, 0 };
    assert_memory_equal(scores.logits, wanted, sizeof wanted);
    const char *const names[] = { "a", "b", "c" };
    const int truths[] = { 2, 0, 1 }, clips[] = { 2, 1, 1 };
    for (int v = 0; v < 3; v++) {
        assert_string_equal(scores.names[v], names[v]);
        assert_int_equal(scores.labels[v], truths[v]);
        assert_int_equal(scores.clips[v], clips[v]);
    }
    assert_string_equal(scores.class_names[2], "fall");
    assert_string_equal(scores.class_names[3], "class 3");
    i3d_accuracy all = i3d_scores_accuracy(&scores, -1);
    assert_int_equal(all.top1, 2);
    i3d_scores_clear(&scores);
}

static void refuses(i3d_status status, const char *words)
{
    i3d_scores scores;
    assert_fails(i3d_edge_postprocess(&place, &scores), status, words);
    assert_null(scores.logits);
}

static void results_that_are_not_whole_are_refused(void **state)
{
    (void)state;
    assert_ok(file_write(at(second_name), logits[1], sizeof logits[1] - 4));
    refuses(I3D_EFORMAT, "set_bsflow_2_0.bin' has 44 bytes, which are not 3 rows");
    assert_ok(file_write(at(second_name), logits[1], 0));
    refuses(I3D_EFORMAT, "has 0 bytes");
    assert_ok(file_write(at(second_name), logits[0], sizeof logits[0] / 2));
    refuses(I3D_EFORMAT, "as many classes as the others");
    assert_int_equal(unlink(at(second_name)), 0);
    refuses(I3D_EIO, "'i3d infer' makes it");
}

static void a_result_that_is_no_number_is_refused(void **state)
{
    (void)state;
    float bad[BATCH * CLASSES] = { 0, 9, 0, NAN };
    assert_ok(file_write(at(second_name), bad, sizeof bad));
    refuses(I3D_EFORMAT, "number 4 of '");
    bad[3] = -INFINITY;
    assert_ok(file_write(at(second_name), bad, sizeof bad));
    refuses(I3D_EFORMAT, "is -inf");
}

static void results_of_another_network_are_refused(void **state)
{
    (void)state;
    const float two[BATCH * 2] = { 1, 2, 3, 4, 5, 6 };
    assert_ok(file_write(at("result_Files/set_bsflow_1_0.bin"), two, sizeof two));
    assert_ok(file_write(at(second_name), two, sizeof two));
    refuses(I3D_EINVAL, "the data set has 3 classes, the results only 2");
}

static void a_manifest_is_checked(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } bad[] = {
        { "", "manifest.json" },
        { "[]", "is not of the flow clips of 'set'" },
        { "{\"dataset\": \"other\", \"mode\": \"flow\"}", "is not of the flow clips of 'set'" },
        { "{\"dataset\": \"set\", \"mode\": \"rgb\"}", "is not of the flow clips of 'set'" },
        { "{\"dataset\": \"set\", \"mode\": \"flow\", \"shape\": [3], \"classes\": []}", "lacks" },
        { "{\"dataset\": \"set\", \"mode\": \"flow\", \"shape\": [0], \"classes\": [], "
          "\"batches\": [[]]}",
          "lacks" },
        { "{\"dataset\": \"set\", \"mode\": \"flow\", \"shape\": [3], \"classes\": [1], "
          "\"batches\": [[]]}",
          "lacks" },
        { "{\"dataset\": \"set\", \"mode\": \"flow\", \"shape\": [1], \"classes\": [], "
          "\"batches\": [[\"a\", \"b\"]]}",
          "batch 1 of" },
        { "{\"dataset\": \"set\", \"mode\": \"flow\", \"shape\": [3], \"classes\": [], "
          "\"batches\": [[\"a\"], [2]]}",
          "batch 2 of" },
        { "{\"dataset\": \"set\", \"mode\": \"flow\", \"shape\": [3], \"classes\": [], "
          "\"batches\": [[\"a\"]]}",
          "is not the manifest's int32 [1, 3]" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        put_text(manifest_name, bad[i].text);
        refuses(I3D_EFORMAT, bad[i].words);
    }
    assert_int_equal(unlink(at(manifest_name)), 0);
    refuses(I3D_EIO, "'i3d preprocess' makes it");
}

static void labels_are_checked(void **state)
{
    (void)state;
    put_labels("<f4", BATCHES, BATCH);
    refuses(I3D_EFORMAT, "is not the manifest's int32 [2, 3]");
    put_labels("<i4", BATCH, BATCHES);
    refuses(I3D_EFORMAT, "is not the manifest's int32 [2, 3]");
    put_labels("<i4", BATCHES, BATCH + 1);
    refuses(I3D_EFORMAT, "label_bsflow3.npy");
    put_text(label_name, "no array");
    refuses(I3D_EFORMAT, "cannot read '");

    /* The second clip of "a" would be of a class that the network does not have. */
    put_labels("<i4", BATCHES, BATCH);
    put_text(manifest_name,
             "{\"dataset\": \"set\", \"mode\": \"flow\", \"shape\": [3], \"classes\": [], "
             "\"batches\": [[\"a\", \"a\", \"b\"], [\"c\", \"fill\"]]}");
    assert_ok(file_write(at(second_name), logits[0], sizeof logits[0]));
    refuses(I3D_EFORMAT, "the label of 'fill' is -1");
}

static void a_name_that_leads_elsewhere_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = { "", "..", "a/b", "v1.2" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        i3d_edge_place other = place;
        i3d_scores scores;
        other.dataset = names[i];
        assert_fails(i3d_edge_postprocess(&other, &scores), I3D_EINVAL, "cannot name files");
    }
}

static void running_out_of_memory_is_an_error_at_every_request(void **state)
{
    (void)state;
    i3d_status status = I3D_ENOMEM;
    i3d_scores scores;
    for (long n = 1; status != I3D_OK; n++) {
        memory_fail_at(n);
        status = i3d_edge_postprocess(&place, &scores);
        memory_fail_at(0);
        assert_true(status == I3D_OK || status == I3D_ENOMEM);
    }
    i3d_scores_clear(&scores);
}

#define fresh(test) cmocka_unit_test_setup_teardown(test, make_all, remove_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh(videos_are_scored_and_filling_is_not),
        fresh(results_that_are_not_whole_are_refused),
        fresh(a_result_that_is_no_number_is_refused),
        fresh(results_of_another_network_are_refused),
        fresh(a_manifest_is_checked),
        fresh(labels_are_checked),
        fresh(a_name_that_leads_elsewhere_is_refused),
        fresh(running_out_of_memory_is_an_error_at_every_request),
    };
    return cmocka_run_group_tests_name("accuracy from raw results", tests, NULL, NULL);
}
