#include "media.h"

#include "clip/split.h"

/* How many videos of a label (-1: all) are in a subset. */
static int count(const struct annotation *annotation, int label, i3d_subset subset)
{
    int videos = 0;
    for (size_t i = 0; i < annotation->count; i++)
        videos += annotation->videos[i].subset == subset &&
                  (label < 0 || annotation->videos[i].label == label);
    return videos;
}

static const struct annotated *find(const struct annotation *annotation, const char *name)
{
    for (size_t i = 0; i < annotation->count; i++)
        if (strcmp(annotation->videos[i].name, name) == 0)
            return &annotation->videos[i];
    fail_msg("no video '%s'", name);
    return NULL;
}

static void hmdb51s_lines_are_read(void **state)
{
    (void)state;
    struct annotation annotation = { 0 };
    put_text(at("climb_stairs_test_split1.txt"), "a b.part.avi 1 \r\nc.avi 2 \nd.avi 0\n\n");
    put_text(at("climb_test_split1.txt"), "e.avi 2\n");
    put_text(at("run_test_split2.txt"), "f.avi 2\n");
    assert_ok(split_read_hmdb51(root, 1, &annotation));
    assert_int_equal(annotation.labels.count, 2);
    assert_string_equal(annotation.labels.items[0], "climb");
    assert_string_equal(annotation.labels.items[1], "climb_stairs");
    assert_int_equal(annotation.count, 3);
    assert_int_equal(find(&annotation, "a b.part")->subset, I3D_TRAINING);
    assert_int_equal(find(&annotation, "c")->subset, I3D_VALIDATION);
    assert_int_equal(find(&annotation, "c")->label, 1);
    assert_int_equal(find(&annotation, "e")->label, 0);
    annotation_clear(&annotation);
    put_text(at("climb_test_split1.txt"), "e.avi 3\n");
    assert_fails(split_read_hmdb51(root, 1, &annotation), I3D_EFORMAT, "climb_test_split1.txt");
    assert_fails(split_read_hmdb51(root, 3, &annotation), I3D_EINVAL, "no files");
}

static void ucf101s_lists_are_read_in_any_case(void **state)
{
    (void)state;
    struct annotation annotation = { 0 };
    put_text(at("classInd.txt"), "1 Zumba\r\n2 HandstandPushups\r\n");
    put_text(at("trainlist01.txt"), "HandStandPushups/v_a.b.avi 2\r\nZumba/v c.avi 1\r\n");
    put_text(at("testlist01.txt"), "Zumba/v_d.avi\r\n");
    assert_ok(split_read_ucf101(root, 1, &annotation));
    assert_int_equal(annotation.labels.count, 2);
    assert_string_equal(annotation.labels.items[0], "Zumba");
    assert_int_equal(find(&annotation, "v_a.b")->label, 1);
    assert_int_equal(find(&annotation, "v c")->subset, I3D_TRAINING);
    assert_int_equal(find(&annotation, "v_d")->subset, I3D_VALIDATION);
    annotation_clear(&annotation);
    put_text(at("testlist01.txt"), "Yoga/v_d.avi\r\n");
    assert_fails(split_read_ucf101(root, 1, &annotation), I3D_EFORMAT, "'Yoga'");
    assert_fails(split_read_ucf101(root, 2, &annotation), I3D_EIO, "trainlist02.txt");
}

static void the_official_splits_have_their_known_sizes(void **state)
{
    (void)state;
    static const int ucf101[][2] = { { 9537, 3783 }, { 9586, 3734 }, { 9624, 3696 } };
    const char *folder = I3D_SHARED_DATA "/splits/hmdb51_splits";
    if (!file_is_folder(folder)) {
        print_message("skipped: '%s' is not here\n", folder);
        skip();
    }
    for (int number = 1; number <= 3; number++) {
        struct annotation annotation = { 0 };
        assert_ok(split_read_hmdb51(folder, number, &annotation));
        assert_int_equal(annotation.labels.count, 51);
        for (int label = 0; label < 51; label++) {
            assert_int_equal(count(&annotation, label, I3D_TRAINING), 70);
            assert_int_equal(count(&annotation, label, I3D_VALIDATION), 30);
        }
        annotation_clear(&annotation);
        assert_ok(split_read_ucf101(I3D_SHARED_DATA "/splits/ucf101_splits", number, &annotation));
        assert_int_equal(annotation.labels.count, 101);
        assert_int_equal(count(&annotation, -1, I3D_TRAINING), ucf101[number - 1][0]);
        assert_int_equal(count(&annotation, -1, I3D_VALIDATION), ucf101[number - 1][1]);
        annotation_clear(&annotation);
    }
}

static void tables_are_read_by_their_columns_names(void **state)
{
    (void)state;
    struct annotation annotation = { 0 };
    put_text(at("a.csv"), "\xef\xbb\xbfgroup,\"video\",class,subset\r\n"
                          "1,a.b,walk,train\r\n"
                          "2,\"c, \"\"d\"\"\",Run,validation\r\n"
                          "3,e,run,test\r\n");
    assert_ok(split_read_csv(at("a.csv"), NULL, &annotation));
    assert_int_equal(annotation.labels.count, 2);
    assert_string_equal(annotation.labels.items[0], "Run");
    assert_int_equal(find(&annotation, "a.b")->label, 1);
    assert_int_equal(find(&annotation, "a.b")->subset, I3D_TRAINING);
    assert_int_equal(find(&annotation, "c, \"d\"")->subset, I3D_VALIDATION);
    assert_int_equal(find(&annotation, "e")->label, 0);
    annotation_clear(&annotation);

    put_text(at("b.csv"), "path,label,sequence\nrun/a.1.avi,0,8\nsit/b.avi,1,10\nsit/c.avi,1,1\n");
    assert_ok(split_read_csv(at("b.csv"), "sequence=8,9,10", &annotation));
    assert_string_equal(annotation.labels.items[1], "sit");
    assert_int_equal(find(&annotation, "a.1")->subset, I3D_VALIDATION);
    assert_int_equal(find(&annotation, "b")->subset, I3D_VALIDATION);
    assert_int_equal(find(&annotation, "c")->subset, I3D_TRAINING);
    annotation_clear(&annotation);
}

static void broken_tables_are_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "", "empty" },
        { "video,class,subset\n", "no rows" },
        { "clip,class,subset\na,b,train\n", "no column 'path' or 'video'" },
        { "video,class\na,b\n", "no column 'subset'" },
        { "video,class,subset\na,b\n", "record 2: it has 2 cells" },
        { "video,class,subset\n\"a,b,train\n", "quote is not closed" },
        { "video,class,subset\n\"a\"x,b,train\n", "closing quote" },
        { "video,class,subset\na,b,other\n", "'other'" },
        { "video,subset\na,train\n", "class or the name" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct annotation annotation = { 0 };
        put_text(at("a.csv"), cases[i][0]);
        assert_fails(split_read_csv(at("a.csv"), NULL, &annotation), I3D_EFORMAT, cases[i][1]);
        assert_non_null(strstr(i3d_error(), "a.csv"));
    }
    struct annotation annotation = { 0 };
    put_text(at("a.csv"), "video,class\na,b\n");
    assert_fails(split_read_csv(at("a.csv"), "class", &annotation), I3D_EINVAL, "column=value");
    assert_ok(file_write(at("a.csv"), "video\0", 7));
    assert_fails(split_read_csv(at("a.csv"), NULL, &annotation), I3D_EFORMAT, "0 bytes");
}

static void put_groups(int classes, int groups, int takes)
{
    for (int c = 0; c < classes; c++)
        for (int g = 0; g < groups; g++)
            for (int t = 0; t < takes; t++)
                assert_ok(folder_make(at("class%d/v%d_g%02d_c%d", c, c, g, t)));
}

static void a_drawn_split_keeps_groups_together_and_every_class_on_both_sides(void **state)
{
    (void)state;
    put_groups(4, 6, 3);
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct split_ratio ratio = { .training = .7, .group_pattern = "_(g[0-9]+)_", .seed = seed };
        struct annotation annotation = { 0 };
        assert_ok(split_draw(root, &ratio, &annotation));
        assert_int_equal(annotation.count, 72);
        for (int c = 0; c < 4; c++) /* 18 of a class; of 5.4 videos 6 is the nearest to be had */
            assert_int_equal(count(&annotation, c, I3D_VALIDATION), 6);
        for (size_t i = 0; i < annotation.count; i++)
            for (size_t k = 0; k < i; k++)
                if (strncmp(annotation.videos[i].name + 2, annotation.videos[k].name + 2, 4) == 0)
                    assert_int_equal(annotation.videos[i].subset, annotation.videos[k].subset);
        annotation_clear(&annotation);
    }
}

static void the_same_seed_draws_the_same_split_and_another_another(void **state)
{
    (void)state;
    struct annotation a = { 0 }, b = { 0 }, c = { 0 };
    struct split_ratio ratio = { .training = .5, .seed = 1 };
    put_groups(2, 10, 1);
    assert_ok(split_draw(root, &ratio, &a));
    assert_ok(split_draw(root, &ratio, &b));
    ratio.seed = 2;
    assert_ok(split_draw(root, &ratio, &c));
    int different = 0;
    for (size_t i = 0; i < a.count; i++) {
        assert_int_equal(a.videos[i].subset, b.videos[i].subset);
        different += a.videos[i].subset != c.videos[i].subset;
    }
    assert_int_not_equal(different, 0);
    assert_int_equal(count(&c, 1, I3D_VALIDATION), 5);
    annotation_clear(&a);
    annotation_clear(&b);
    annotation_clear(&c);
}

static void a_class_with_nothing_to_spare_is_told(void **state)
{
    (void)state;
    struct annotation annotation = { 0 };
    struct split_ratio ratio = { .training = .7 };
    put_groups(1, 2, 1);
    assert_ok(folder_make(at("lonely/v")));
    assert_ok(split_draw(root, &ratio, &annotation));
    assert_int_equal(count(&annotation, 0, I3D_VALIDATION), 1);
    assert_int_equal(count(&annotation, 1, I3D_TRAINING), 1);
    assert_non_null(strstr(talked, "'lonely' has no group to spare"));
    annotation_clear(&annotation);
}

static void bad_wishes_for_a_drawn_split_are_refused(void **state)
{
    (void)state;
    struct annotation annotation = { 0 };
    struct split_ratio ratio = { .training = 1 };
    assert_fails(split_draw(root, &ratio, &annotation), I3D_EINVAL, "ratio 1");
    ratio.training = .7;
    assert_fails(split_draw(root, &ratio, &annotation), I3D_EINVAL, "no videos");
    put_groups(1, 2, 1);
    ratio.group_pattern = "(";
    assert_fails(split_draw(root, &ratio, &annotation), I3D_EINVAL, "no regular expression");
    ratio.group_pattern = "g";
    assert_fails(split_draw(root, &ratio, &annotation), I3D_EINVAL, "parentheses");
    ratio.group_pattern = "(x)";
    assert_fails(split_draw(root, &ratio, &annotation), I3D_EINVAL, "does not match");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_root(hmdb51s_lines_are_read),
        test_in_root(ucf101s_lists_are_read_in_any_case),
        test_in_root(the_official_splits_have_their_known_sizes),
        test_in_root(tables_are_read_by_their_columns_names),
        test_in_root(broken_tables_are_refused),
        test_in_root(a_drawn_split_keeps_groups_together_and_every_class_on_both_sides),
        test_in_root(the_same_seed_draws_the_same_split_and_another_another),
        test_in_root(a_class_with_nothing_to_spare_is_told),
        test_in_root(bad_wishes_for_a_drawn_split_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
