/* What an evaluation leaves on disk. */
#include "make_scores.h"

#include "base/file.h"
#include "eval/series.h"

static char *read_text(const char *folder, const char *name)
{
    char path[256];
    uint8_t *text;
    size_t bytes;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(file_read(path, &text, &bytes));
    return (char *)text;
}

static void check_text(const char *folder, const char *name, const char *wanted)
{
    char *text = read_text(folder, name);
    assert_string_equal(text, wanted);
    memory_free(text);
}

static void scores_become_tables_and_a_picture(void **state)
{
    (void)state;
    const char *names[] = { "plain", "with, comma and \"quotes\"", "unread" };
    const int labels[] = { 0, 1, 1 };
    const float logits[] = { 2, 1, 1.5f, .25f, 0, 0 };
    const char *folder = test_folder();
    i3d_scores scores = make_scores(3, 2, names, labels, logits);
    scores.clips[0] = 4;
    scores.clips[2] = 0;
    strcpy(scores.class_names[1], "<b&>");
    assert_ok(i3d_scores_write(folder, &scores));
    check_text(folder, "videos.csv",
               "video,truth,clips,correct,guess1,score1,guess2,score2\n"
               "plain,class a,4,1,class a,2,<b&>,1\n"
               "\"with, comma and \"\"quotes\"\"\",<b&>,1,0,class a,1.5,<b&>,0.25\n"
               "unread,<b&>,0,0\n");
    check_text(folder, "classes.csv",
               "class,videos,top1,top5\nclass a,1,1.000000,1.000000\n<b&>,1,0.000000,1.000000\n");
    check_text(folder, "confusion.csv", "truth,class a,<b&>\nclass a,1,0\n<b&>,1,0\n");
    char *picture = read_text(folder, "confusion.svg");
    assert_non_null(strstr(picture, "&lt;b&amp;&gt;"));
    assert_null(strstr(picture, "<b&>"));
    memory_free(picture);
    i3d_scores_clear(&scores);
    assert_ok(folder_remove(folder));
}

static void touch(const char *folder, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(file_write(path, "", 0));
}

static void a_series_is_in_the_order_of_training(void **state)
{
    (void)state;
    const char *names[] = {
        "i3d-10_56.ckpt", "i3d-9_56.ckpt", "i3d-10_7.ckpt", "i3d-1_1.ckpt",
        "best.ckpt",      "i3d-2.ckpt",    "i3d-03_4.ckpt", "i3d-2_2.ckpt.old"
    };
    const char *folder = test_folder();
    i3d_series series;
    assert_ok(i3d_series_list(folder, 1, 99, &series));
    assert_int_equal(series.count, 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        touch(folder, names[i]);
    assert_ok(i3d_series_list(folder, 1, 99, &series));
    assert_int_equal(series.count, 4);
    const int order[4][2] = { { 1, 1 }, { 9, 56 }, { 10, 7 }, { 10, 56 } };
    for (int i = 0; i < 4; i++) {
        char name[SERIES_NAME_BYTES];
        assert_int_equal(series.entries[i].epoch, order[i][0]);
        assert_int_equal(series.entries[i].step, order[i][1]);
        series_name(order[i][0], order[i][1], name);
        assert_string_equal(path_name(series.entries[i].path), name);
    }
    i3d_series_clear(&series);
    assert_ok(i3d_series_list(folder, 2, 9, &series));
    assert_int_equal(series.count, 1);
    i3d_series_clear(&series);
    assert_fails(i3d_series_list("/nowhere", 1, 99, &series), I3D_EIO, "/nowhere");
    assert_ok(folder_remove(folder));
}

static void a_summary_marks_the_best(void **state)
{
    (void)state;
    const char *folder = test_folder();
    i3d_series_entry entries[] = { { (char *)"a", 33, 56 },
                                   { (char *)"b", 34, 56 },
                                   { (char *)"c", 35, 56 } };
    i3d_series series = { .entries = entries, .count = 3 };
    const i3d_accuracy accuracies[] = { { 8, 4, 6 }, { 8, 3, 8 }, { 8, 4, 4 } };
    char path[256];
    snprintf(path, sizeof path, "%s/summary.txt", folder);
    assert_ok(i3d_summary_write(path, &series, accuracies));
    check_text(folder, "summary.txt",
               "  epoch    step    top-1    top-5  checkpoint\n"
               "*    35      56   0.5000   0.5000  c\n"
               "     33      56   0.5000   0.7500  a\n"
               "     34      56   0.3750   1.0000  b\n"
               "* the best\n");
    assert_fails(i3d_summary_write("/nowhere/summary.txt", &series, accuracies), I3D_EIO,
                 "/nowhere");
    assert_ok(folder_remove(folder));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_become_tables_and_a_picture),
        cmocka_unit_test(a_series_is_in_the_order_of_training),
        cmocka_unit_test(a_summary_marks_the_best),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
