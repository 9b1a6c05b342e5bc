/* The parser and the config files over a table of the test's own. */
#include "test.h"

#include "option.h"

#include "base/file.h"
#include "base/memory.h"

#include <math.h>

const struct option_row option_table[] = {
    { .name = "batch-size",
      .type = OPTION_INT,
      .fallback = "8",
      .least = 1,
      .most = 64,
      .metavar = "N",
      .help = "clips",
      .commands = "train eval" },
    { .name = "rate",
      .type = OPTION_REAL,
      .fallback = "0.001",
      .least = 0,
      .most = INFINITY,
      .metavar = "X",
      .help = "rate",
      .commands = "train" },
    { .name = "bound", .type = OPTION_REAL, .metavar = "X", .help = "bound", .commands = "train" },
    { .name = "eval",
      .type = OPTION_FLAG,
      .fallback = "true",
      .help = "evaluate",
      .commands = "train" },
    { .name = "no-sync", .type = OPTION_FLAG, .help = "no sync", .commands = "train" },
    { .name = "optimizer",
      .type = OPTION_CHOICE,
      .fallback = "adam",
      .choices = "adam|SGD|rmsprop",
      .help = "method",
      .commands = "train" },
    { .name = "save-dir",
      .type = OPTION_TEXT,
      .metavar = "DIR",
      .help = "where",
      .commands = "train" },
    { .name = "top", .type = OPTION_INT, .metavar = "N", .help = "top", .commands = "retrain" },
    { .name = "json", .type = OPTION_FLAG, .help = "JSON", .commands = "*" },
    { .name = NULL },
};

enum { WORDS = 8 };

/* The words in single blanks, parsed for "train". */
static i3d_status parse(const char *line, struct options *out)
{
    static char copy[256];
    char *words[WORDS];
    int count = 0;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok(copy, " "); word && count < WORDS; word = strtok(NULL, " "))
        words[count++] = word;
    return options_parse("train", count, words, out);
}

static void check_value(const char *line, const char *name, const char *value)
{
    struct options options;
    assert_ok(parse(line, &options));
    if (value)
        assert_string_equal(option_text(&options, name), value);
    else
        assert_null(option_text(&options, name));
    options_clear(&options);
}

static void values_come_from_the_next_word_or_behind_an_equals_sign(void **state)
{
    (void)state;
    check_value("--batch-size 4", "batch-size", "4");
    check_value("--batch-size=4", "batch-size", "4");
    check_value("--batch_size=4", "batch-size", "4");
    check_value("--save-dir=", "save-dir", "");
    check_value("--save-dir=a=b", "save-dir", "a=b");
    check_value("--save-dir --odd", "save-dir", "--odd");
    check_value("--bound -1.5", "bound", "-1.5");
    check_value("--batch-size 4 --batch-size 5", "batch-size", "5");
}

static void without_a_value_the_default_is_in_force(void **state)
{
    (void)state;
    struct options options;
    assert_ok(parse("--rate 1e-2", &options));
    assert_int_equal(option_int(&options, "batch-size"), 8);
    assert_false(option_given(&options, "batch-size"));
    assert_true(option_given(&options, "rate"));
    assert_true(option_real(&options, "rate") == 1e-2);
    assert_true(option_flag(&options, "eval"));
    assert_false(option_flag(&options, "no-sync"));
    assert_null(option_text(&options, "save-dir"));
    assert_true(option_real(&options, "bound") == 0);
    options_clear(&options);
}

static void an_option_can_be_unset_again(void **state)
{
    (void)state;
    struct options options;
    assert_ok(parse("--batch-size 4 --save-dir a", &options));
    option_unset(&options, option_find("train", "batch-size"));
    option_unset(&options, option_find("train", "save-dir"));
    assert_int_equal(option_int(&options, "batch-size"), 8);
    assert_false(option_given(&options, "batch-size"));
    assert_null(option_text(&options, "save-dir"));
    options_clear(&options);
}

static void flags_have_a_positive_a_negative_and_a_spelled_form(void **state)
{
    (void)state;
    check_value("--eval", "eval", "true");
    check_value("--no-eval", "eval", "false");
    check_value("--no_eval", "eval", "false");
    check_value("--eval=False", "eval", "false");
    check_value("--eval=0", "eval", "false");
    check_value("--eval=yes", "eval", "true");
    check_value("--no-sync", "no-sync", "true");
    check_value("--no-sync=0", "no-sync", "false");
    check_value("--no-no-sync", "no-sync", "false");
    struct options options;
    assert_fails(parse("--eval=maybe", &options), I3D_EINVAL, "--eval is true or false");
    assert_fails(parse("--no-optimizer", &options), I3D_EINVAL, "no option '--no-optimizer'");
}

static void choices_are_matched_in_any_case_and_kept_as_the_table_spells_them(void **state)
{
    (void)state;
    check_value("--optimizer sgd", "optimizer", "SGD");
    check_value("--optimizer ADAM", "optimizer", "adam");
    struct options options;
    assert_fails(parse("--optimizer ada", &options), I3D_EINVAL, "adam|SGD|rmsprop, not 'ada'");
    assert_fails(parse("--optimizer=", &options), I3D_EINVAL, "adam|SGD|rmsprop, not ''");
}

static void numbers_out_of_range_are_refused_with_the_range(void **state)
{
    (void)state;
    struct options options;
    assert_fails(parse("--batch-size 0", &options), I3D_EINVAL, "from 1 to 64, not '0'");
    assert_fails(parse("--batch-size 65", &options), I3D_EINVAL, "from 1 to 64, not '65'");
    assert_fails(parse("--rate -1", &options), I3D_EINVAL, "a number of at least 0, not '-1'");
    check_value("--batch-size 64", "batch-size", "64");
    check_value("--rate 0", "rate", "0");
}

static void words_that_are_no_numbers_are_refused(void **state)
{
    (void)state;
    struct options options;
    const char *const ints[] = { "4x", "1.5", "", "1e3", "99999999999999999999" };
    for (size_t i = 0; i < sizeof ints / sizeof ints[0]; i++) {
        char line[64];
        snprintf(line, sizeof line, "--batch-size=%s", ints[i]);
        assert_fails(parse(line, &options), I3D_EINVAL, "--batch-size is a whole number");
    }
    assert_fails(parse("--rate nan", &options), I3D_EINVAL, "--rate is a number, not 'nan'");
    assert_fails(parse("--rate inf", &options), I3D_EINVAL, "--rate is a number, not 'inf'");
    assert_fails(parse("--rate 1e999", &options), I3D_EINVAL, "--rate is a number");
}

static void unknown_names_are_answered_with_the_nearest_of_the_command(void **state)
{
    (void)state;
    struct options options;
    assert_fails(parse("--bacth-size 4", &options), I3D_EINVAL, "did you mean '--batch-size'?");
    assert_fails(parse("--top 4", &options), I3D_EINVAL, "train has no option '--top'");
    assert_fails(parse("--qqqqqqqq", &options), I3D_EINVAL, "'i3d help train' lists them");
    assert_fails(parse("--batch", &options), I3D_EINVAL, "train has no option '--batch'");
    assert_fails(parse("--=4", &options), I3D_EINVAL, "train has no option '--'");
    assert_fails(parse("-b", &options), I3D_EINVAL, "options begin with '--'");
    assert_fails(parse("--save-dir", &options), I3D_EINVAL, "--save-dir needs a value");
}

static void two_dashes_end_the_options_and_one_is_an_argument(void **state)
{
    (void)state;
    struct options options;
    assert_ok(parse("a - --json -- --batch-size", &options));
    assert_int_equal(options.argument_count, 3);
    assert_string_equal(options.arguments[0], "a");
    assert_string_equal(options.arguments[1], "-");
    assert_string_equal(options.arguments[2], "--batch-size");
    assert_true(option_flag(&options, "json"));
    options_clear(&options);
}

/* Writes `text` as a config file and reads it over the words of `line`. */
static i3d_status configure(const char *text, const char *line, struct options *out)
{
    char path[128];
    snprintf(path, sizeof path, "%s/config.json", test_folder());
    assert_ok(file_write(path, text, strlen(text)));
    assert_ok(parse(line, out));
    return options_read(out, path);
}

static void a_config_file_stands_under_the_command_line(void **state)
{
    (void)state;
    struct options options;
    assert_ok(configure("{\"batch_size\": 2, \"rate\": 0.5, \"eval\": false,"
                        " \"optimizer\": \"sgd\", \"save-dir\": null, \"top\": 5}",
                        "--batch-size 4", &options));
    assert_int_equal(option_int(&options, "batch-size"), 4);
    assert_true(option_real(&options, "rate") == .5);
    assert_false(option_flag(&options, "eval"));
    assert_string_equal(option_text(&options, "optimizer"), "SGD");
    assert_true(option_given(&options, "rate"));
    assert_false(option_given(&options, "save-dir"));
    options_clear(&options);
}

static void a_bad_config_file_is_refused_with_its_name_and_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        i3d_status status;
        const char *words;
    } cases[] = {
        { "{", I3D_EFORMAT, "config.json': line 1: " },
        { "[]", I3D_EFORMAT, "one JSON object" },
        { "{\"rate\": 1, \"rate\": 2}", I3D_EFORMAT, "duplicate" },
        { "{\"rates\": 1}", I3D_EINVAL, "no option is called 'rates'; did you mean 'rate'?" },
        { "{\"batch-size\": 0}", I3D_EINVAL, "from 1 to 64" },
        { "{\"rate\": [1]}", I3D_EINVAL, "'rate' is neither" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct options options;
        assert_fails(configure(cases[i].text, "", &options), cases[i].status, cases[i].words);
        options_clear(&options);
    }
    struct options options;
    assert_ok(parse("", &options));
    assert_fails(options_read(&options, "/nowhere/config.json"), I3D_EIO, "/nowhere/config.json");
    options_clear(&options);
}

static void the_record_of_a_run_reads_back_as_the_same_options(void **state)
{
    (void)state;
    char path[128];
    struct options options, again;
    snprintf(path, sizeof path, "%s/config.json", test_folder());
    assert_ok(parse("--rate 0.3 --json --no-eval --save-dir=a\"b --batch-size 3", &options));
    assert_ok(options_write(&options, path));
    assert_ok(parse("", &again));
    assert_ok(options_read(&again, path));
    for (const struct option_row *row = option_table; row->name; row++) {
        const char *wanted = option_value(&options, row), *got = option_value(&again, row);
        if (option_is_common(row) || !option_serves(row, "train"))
            assert_null(got);
        else if (row->type == OPTION_REAL && wanted)
            assert_true(strtod(wanted, NULL) == strtod(got, NULL));
        else if (row->type == OPTION_FLAG)
            assert_int_equal(option_flag(&options, row->name), option_flag(&again, row->name));
        else if (wanted)
            assert_string_equal(wanted, got);
        else
            assert_null(got);
    }
    options_clear(&options);
    options_clear(&again);
}

static void the_record_has_sorted_keys_and_is_whole(void **state)
{
    (void)state;
    char path[128];
    struct options options;
    uint8_t *text;
    size_t bytes;
    snprintf(path, sizeof path, "%s/config.json", test_folder());
    assert_ok(parse("", &options));
    assert_ok(options_write(&options, path));
    assert_ok(file_read(path, &text, &bytes));
    assert_string_equal((char *)text, "{\n"
                                      "    \"batch-size\": 8,\n"
                                      "    \"bound\": null,\n"
                                      "    \"eval\": true,\n"
                                      "    \"no-sync\": false,\n"
                                      "    \"optimizer\": \"adam\",\n"
                                      "    \"rate\": 0.001,\n"
                                      "    \"save-dir\": null\n"
                                      "}\n");
    memory_free(text);
    options_clear(&options);
}

static void a_request_for_memory_that_fails_leaves_nothing(void **state)
{
    (void)state;
    for (long n = 1; n <= 4; n++) {
        struct options options;
        memory_fail_at(n);
        assert_int_equal(parse("--batch-size 4 --save-dir x", &options), I3D_ENOMEM);
        memory_fail_at(0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_from_the_next_word_or_behind_an_equals_sign),
        cmocka_unit_test(without_a_value_the_default_is_in_force),
        cmocka_unit_test(an_option_can_be_unset_again),
        cmocka_unit_test(flags_have_a_positive_a_negative_and_a_spelled_form),
        cmocka_unit_test(choices_are_matched_in_any_case_and_kept_as_the_table_spells_them),
        cmocka_unit_test(numbers_out_of_range_are_refused_with_the_range),
        cmocka_unit_test(words_that_are_no_numbers_are_refused),
        cmocka_unit_test(unknown_names_are_answered_with_the_nearest_of_the_command),
        cmocka_unit_test(two_dashes_end_the_options_and_one_is_an_argument),
        cmocka_unit_test(a_config_file_stands_under_the_command_line),
        cmocka_unit_test(a_bad_config_file_is_refused_with_its_name_and_reason),
        cmocka_unit_test(the_record_of_a_run_reads_back_as_the_same_options),
        cmocka_unit_test(the_record_has_sorted_keys_and_is_whole),
        cmocka_unit_test(a_request_for_memory_that_fails_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
