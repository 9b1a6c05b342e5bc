/* What holds for every row of the two tables. */
#include "test.h"

#include "command.h"

static void every_command_is_explained(void **state)
{
    (void)state;
    for (const struct command *row = command_table; row->name; row++) {
        if (!row->summary || !*row->summary || !row->text || !*row->text || !row->example ||
            !*row->example || !row->arguments || !row->run)
            fail_msg("command '%s' lacks a column", row->name);
        if (strlen(row->summary) > 70 || row->summary[strlen(row->summary) - 1] == '.')
            fail_msg("the summary of '%s' is not one short line without a full stop", row->name);
        assert_non_null(strstr(row->example, row->name));
        assert_true(row->most < 0 || row->most >= row->least);
        assert_ptr_equal(command_find(row->name), row);
    }
}

static void every_option_is_explained(void **state)
{
    (void)state;
    for (const struct option_row *row = option_table; row->name; row++) {
        if (!row->help || !*row->help || row->help[strlen(row->help) - 1] == '.')
            fail_msg("option '%s' has no help, or one with a full stop", row->name);
        if (strchr(row->name, '_') || strlen(row->name) > 40)
            fail_msg("option '%s' is not spelled with dashes, or too long", row->name);
        if ((row->type == OPTION_CHOICE) != (row->choices != NULL))
            fail_msg("option '%s': choices belong to OPTION_CHOICE and it to them", row->name);
        if (row->type != OPTION_FLAG && row->type != OPTION_CHOICE && !row->metavar)
            fail_msg("option '%s' takes a value, but has no metavar", row->name);
        assert_true(row->least <= row->most);
    }
}

static void every_option_is_of_commands_that_exist_and_of_each_once(void **state)
{
    (void)state;
    for (const struct option_row *row = option_table; row->name; row++) {
        if (option_is_common(row))
            continue;
        char words[512];
        assert_true(strlen(row->commands) < sizeof words);
        snprintf(words, sizeof words, "%s", row->commands);
        for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
            if (!command_find(word))
                fail_msg("option '%s' is of '%s', which is no command", row->name, word);
            if (option_find(word, row->name) != row)
                fail_msg("option '%s' has two rows for '%s'", row->name, word);
        }
    }
}

static void every_default_is_a_value_that_the_option_takes(void **state)
{
    (void)state;
    for (const struct command *command = command_table; command->name; command++) {
        struct options options;
        assert_ok(options_parse(command->name, 0, NULL, &options));
        for (const struct option_row *row = option_table; row->name; row++)
            if (row->fallback && option_serves(row, command->name)) {
                assert_ok(option_set(&options, row, row->fallback));
                assert_string_equal(option_text(&options, row->name), row->fallback);
            }
        options_clear(&options);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_is_explained),
        cmocka_unit_test(every_option_is_explained),
        cmocka_unit_test(every_option_is_of_commands_that_exist_and_of_each_once),
        cmocka_unit_test(every_default_is_a_value_that_the_option_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
