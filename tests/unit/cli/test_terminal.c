/* What a person at a terminal sees and what a signal does; the terminal is a pseudo one. */
#include "test.h"

#include "terminal.h"

#include "base/talk.h"

#include <pty.h>
#include <signal.h>
#include <sys/wait.h>

const struct option_row option_table[] = {
    { .name = "quiet", .type = OPTION_FLAG, .help = "quiet", .commands = "*" },
    { .name = NULL },
};

/* Three videos of eight and a remark. */
static void work(void)
{
    talk_progress("videos", 0, 8);
    usleep(120000);
    talk_progress("videos", 2, 8);
    talk("left out 'a.avi'");
    usleep(120000);
    talk_progress("videos", 3, 8);
}

/* What appears on `descriptor`'s other end, `reader`, when work() talks to it. */
static const char *watch(int descriptor, int reader, char *word)
{
    static char seen[4096];
    struct options options;
    assert_ok(options_parse("frames", word ? 1 : 0, &word, &options));
    fflush(stderr);
    int saved = dup(STDERR_FILENO);
    dup2(descriptor, STDERR_FILENO);
    terminal_begin(&options);
    work();
    terminal_end();
    fputc('\n', stderr);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(descriptor);
    size_t used = 0;
    for (ssize_t got; (got = read(reader, seen + used, sizeof seen - 1 - used)) > 0;)
        used += (size_t)got;
    seen[used] = '\0';
    close(reader);
    options_clear(&options);
    return seen;
}

static const char *watch_terminal(char *word)
{
    int reader, descriptor;
    assert_int_equal(openpty(&reader, &descriptor, NULL, NULL, NULL), 0);
    return watch(descriptor, reader, word);
}

static const char *watch_pipe(char *word)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    return watch(ends[1], ends[0], word);
}

static void a_terminal_shows_a_bar_with_rate_and_time_left(void **state)
{
    (void)state;
    const char *seen = watch_terminal(NULL);
    assert_non_null(strstr(seen, "videos [======                  ]  25%  2/8  "));
    assert_non_null(strstr(seen, "/s  0:0"));
    assert_non_null(strstr(seen, " left"));
    assert_non_null(strstr(seen, "videos [=========               ]  37%  3/8  "));
}

/* Eight videos, four of them finished by an earlier run, half of the fifth now: a quarter of a
 * second for an eighth of the work that is left. */
static void frames_a_second_and_the_time_left_of_what_was_not_done_before(void **state)
{
    (void)state;
    int reader, descriptor;
    static char seen[1024];
    struct options options;
    assert_ok(options_parse("frames", 0, NULL, &options));
    assert_int_equal(openpty(&reader, &descriptor, NULL, NULL, NULL), 0);
    fflush(stderr);
    int saved = dup(STDERR_FILENO);
    dup2(descriptor, STDERR_FILENO);
    terminal_begin(&options);
    i3d_progress progress = { .what = "flow", .total = 8 };
    talk_progress_in_parts(&progress);
    usleep(250000);
    progress = (i3d_progress){ "flow", 4, 8, .share = .5625, .skipped = .5, .frames = 50 };
    talk_progress_in_parts(&progress);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(descriptor);
    ssize_t got = 0;
    for (ssize_t more; (more = read(reader, seen + got, sizeof seen - 1 - (size_t)got)) > 0;)
        got += more;
    close(reader);
    terminal_end();
    options_clear(&options);
    const char *line = strstr(seen, "flow [=============           ]  56%  4/8  ");
    assert_non_null(line);
    double rate = strtod(line + strlen("flow [=============           ]  56%  4/8  "), NULL);
    assert_true(rate > 50 && rate <= 200); /* at most 50 in a quarter of a second */
    assert_non_null(strstr(line, " frames/s  0:0"));
    assert_null(strstr(line, "0:00 left")); /* 7 * .25 s */
}

static void a_remark_takes_the_bar_away_first(void **state)
{
    (void)state;
    assert_non_null(strstr(watch_terminal(NULL), " left\r\033[Kleft out 'a.avi'\r\n"));
}

static void the_bar_is_gone_at_the_end(void **state)
{
    (void)state;
    const char *seen = watch_terminal(NULL), *end = strrchr(seen, 'K');
    assert_non_null(end);
    assert_string_equal(end, "K\r\n");
}

static void a_pipe_gets_remarks_only(void **state)
{
    (void)state;
    assert_string_equal(watch_pipe(NULL), "left out 'a.avi'\n\n");
}

static void quiet_is_silence(void **state)
{
    (void)state;
    char word[] = "--quiet";
    assert_string_equal(watch_pipe(word), "\n");
    assert_string_equal(watch_terminal(word), "\r\n");
}

static void the_first_signal_asks_and_the_second_ends(void **state)
{
    (void)state;
    struct options options;
    assert_ok(options_parse("frames", 0, NULL, &options));
    pid_t child = fork();
    if (child == 0) {
        terminal_begin(&options);
        raise(SIGINT);
        if (!interrupted())
            _exit(1);
        raise(SIGTERM);
        _exit(2);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 128 + SIGTERM);
    options_clear(&options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_terminal_shows_a_bar_with_rate_and_time_left),
        cmocka_unit_test(frames_a_second_and_the_time_left_of_what_was_not_done_before),
        cmocka_unit_test(a_remark_takes_the_bar_away_first),
        cmocka_unit_test(the_bar_is_gone_at_the_end),
        cmocka_unit_test(a_pipe_gets_remarks_only),
        cmocka_unit_test(quiet_is_silence),
        cmocka_unit_test(the_first_signal_asks_and_the_second_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
