/* One description, two forms: lines for people, JSON for programs. */
#include "test.h"

#include "report.h"

#include "base/file.h"
#include "base/memory.h"

#include <math.h>

const struct option_row option_table[] = {
    { .name = "json", .type = OPTION_FLAG, .help = "JSON", .commands = "*" },
    { .name = NULL },
};

static void describe(struct report *report)
{
    report_text(report, "name", "%s \"%d\"", "a", 1);
    report_int(report, "videos", 12);
    report_list(report, "failed_videos");
    report_object(report, NULL);
    report_text(report, "video", "\xff.avi");
    report_real(report, "score", .25);
    report_close(report);
    report_text(report, NULL, "last");
    report_close(report);
    report_words(report, "codecs", "h264 vp9");
    report_say(report, "for people");
    report_real(report, "loss", (double)NAN);
    report_bool(report, "ready", true);
}

/* What describe() prints with these words on the command line; free with memory_free(). */
static char *capture(int count, char **words)
{
    char path[128];
    uint8_t *text;
    size_t bytes;
    struct options options;
    snprintf(path, sizeof path, "%s/out", test_folder());
    assert_ok(options_parse("eval", count, words, &options));
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    assert_non_null(freopen(path, "w", stdout));
    struct report report = report_begin(&options);
    describe(&report);
    report_end(&report);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    options_clear(&options);
    assert_ok(file_read(path, &text, &bytes));
    return (char *)text;
}

static void people_get_lines(void **state)
{
    (void)state;
    char *text = capture(0, NULL);
    assert_string_equal(text, "name: a \"1\"\n"
                              "videos: 12\n"
                              "failed videos:\n"
                              "    video: \\xff.avi\n"
                              "    score: 0.25\n"
                              "  - last\n"
                              "codecs: h264 vp9\n"
                              "for people\n"
                              "loss: nan\n"
                              "ready: yes\n");
    memory_free(text);
}

static void programs_get_json_that_is_utf8_and_without_nan(void **state)
{
    (void)state;
    char word[] = "--json", *words[] = { word };
    char *text = capture(1, words);
    assert_string_equal(text, "{\n"
                              "  \"name\": \"a \\\"1\\\"\",\n"
                              "  \"videos\": 12,\n"
                              "  \"failed_videos\": [\n"
                              "    {\n"
                              "      \"video\": \"?.avi\",\n"
                              "      \"score\": 0.25\n"
                              "    },\n"
                              "    \"last\"\n"
                              "  ],\n"
                              "  \"codecs\": [\n"
                              "    \"h264\",\n"
                              "    \"vp9\"\n"
                              "  ],\n"
                              "  \"loss\": null,\n"
                              "  \"ready\": true\n"
                              "}\n");
    memory_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(people_get_lines),
        cmocka_unit_test(programs_get_json_that_is_utf8_and_without_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
