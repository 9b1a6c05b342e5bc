/* What was measured is kept in a file, and a file that is none costs nothing but time. */
#include "test.h"

#include "engine/cuda/choices.h"

#include <stdio.h>
#include <unistd.h>

static void what_was_chosen_is_found_again(void **state)
{
    (void)state;
    char path[] = "/tmp/i3d_choices_XXXXXX";
    struct choices *choices;
    int found = -1;
    close(mkstemp(path));
    assert_ok(choices_open(path, "card A", &choices));
    assert_false(choices_find(choices, "3x3x3", &found));
    choices_add(choices, "3x3x3", 5);
    choices_add(choices, "3x3x3", 6); /* the first counts */
    assert_true(choices_find(choices, "3x3x3", &found));
    assert_int_equal(found, 5);
    choices_close(choices);

    assert_ok(choices_open(path, "card B", &choices));
    assert_false(choices_find(choices, "3x3x3", &found)); /* of another card */
    choices_add(choices, "3x3x3", 7);
    choices_close(choices);

    assert_ok(choices_open(path, "card A", &choices));
    assert_true(choices_find(choices, "3x3x3", &found));
    assert_int_equal(found, 5);
    choices_close(choices);
    unlink(path);
}

static void a_file_of_something_else_is_no_choice(void **state)
{
    (void)state;
    char path[] = "/tmp/i3d_choices_XXXXXX";
    struct choices *choices;
    int found, file = mkstemp(path);
    const char junk[] = "\n\t\t\ncard A\t3x3x3\t-4\ncard A\tk\tnone\ncard A\t1x1x1\t3\n\377\376\n";
    assert_int_equal(write(file, junk, sizeof junk), sizeof junk);
    close(file);
    assert_ok(choices_open(path, "card A", &choices));
    assert_false(choices_find(choices, "3x3x3", &found));
    assert_false(choices_find(choices, "k", &found));
    assert_true(choices_find(choices, "1x1x1", &found));
    assert_int_equal(found, 3);
    choices_close(choices);
    unlink(path);
    assert_ok(choices_open("/nowhere/at/all", "card A", &choices));
    choices_add(choices, "k", 1);
    choices_close(choices); /* cannot be written: nothing is said */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_chosen_is_found_again),
        cmocka_unit_test(a_file_of_something_else_is_no_choice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
