#include "test.h"

#include "clip/sampling.h"
#include "clip/transform.h"

#include <limits.h>

/* The clip's first frame, and that it goes through the window over and over, against the golden
 * line's. */
static void check_clip(struct window window, long wanted, char **numbers)
{
    for (long t = 0; t < wanted; t++)
        assert_int_equal(window.begin + t % window.count, strtol(*numbers, numbers, 10));
}

/* The earliest and the latest of many draws. */
static void check_draws(long frames, long wanted, char **numbers)
{
    struct random random = random_for(1, RANDOM_TRIAL, 2, 3);
    struct window first = { .begin = LONG_MAX }, last = { .begin = -1 };
    for (int i = 0; i < 2000; i++) {
        struct window window = window_random(frames, wanted, true, &random);
        first = window.begin < first.begin ? window : first;
        last = window.begin > last.begin ? window : last;
    }
    check_clip(first, wanted, numbers);
    check_clip(last, wanted, numbers);
}

static void the_originals_rules_are_kept(void **state)
{
    (void)state;
    char line[1024], kind[16];
    int lines = 0, length, n, size;
    FILE *golden = fopen(I3D_GOLDEN "/clip/sampling.txt", "r");
    assert_non_null(golden);
    for (; fgets(line, sizeof line, golden); lines++) {
        assert_int_equal(sscanf(line, "%15s %d %d%n", kind, &n, &size, &length), 3);
        char *numbers = line + length;
        struct cut cut;
        if (strcmp(kind, "centre") == 0) {
            check_clip(window_centre(n, size), size, &numbers);
        } else if (strcmp(kind, "random") == 0) {
            check_draws(n, size, &numbers);
        } else {
            assert_ok(cut_choose(n, 224, 0, size, NULL, &cut));
            assert_int_equal(cut.x, strtol(numbers, NULL, 10));
            assert_int_equal(cut.y, 0);
        }
    }
    fclose(golden);
    assert_int_equal(lines, 36);
}

static void random_clips_begin_everywhere_with_equal_chance(void **state)
{
    (void)state;
    struct random random = random_for(1, RANDOM_TRIAL, 2, 3);
    int counts[5] = { 0 };
    for (int i = 0; i < 5000; i++) {
        struct window window = window_random(12, 8, false, &random);
        assert_int_equal(window.count, 8);
        counts[window.begin]++;
    }
    for (int i = 0; i < 5; i++)
        assert_in_range(counts[i], 880, 1120); /* 1000 and four standard deviations */
}

static void even_clips_reach_from_the_first_frame_to_the_last(void **state)
{
    (void)state;
    for (long frames = 1; frames < 60; frames++)
        for (long clips = 2; clips < 12; clips++) {
            struct window first = window_even(frames, 8, 0, clips);
            struct window last = window_even(frames, 8, clips - 1, clips);
            assert_int_equal(first.begin, 0);
            assert_int_equal(last.begin + last.count, frames);
            long step = window_even(frames, 8, 1, clips).begin;
            for (long k = 1; k < clips; k++) {
                long gap = window_even(frames, 8, k, clips).begin -
                           window_even(frames, 8, k - 1, clips).begin;
                assert_in_range(gap - step + 1, 0, 2);
            }
        }
}

static void one_even_clip_is_the_centre_one(void **state)
{
    (void)state;
    for (long frames = 1; frames < 60; frames++)
        assert_int_equal(window_even(frames, 8, 0, 1).begin, window_centre(frames, 8).begin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_originals_rules_are_kept),
        cmocka_unit_test(random_clips_begin_everywhere_with_equal_chance),
        cmocka_unit_test(even_clips_reach_from_the_first_frame_to_the_last),
        cmocka_unit_test(one_even_clip_is_the_centre_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
