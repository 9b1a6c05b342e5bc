#include "terminal.h"
#include "escape.h"

#include "base/clock.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BAR_CELLS = 24 };

/* The bar on screen. The library calls from one thread at a time. */
static struct {
    bool shown;
    char what[128];
    i3d_progress first, now;
    double began, drawn; /* seconds */
} bar;

void terminal_wipe(void)
{
    if (bar.shown)
        fputs("\r\033[K", stderr);
    bar.shown = false;
}

static void print_left(double seconds)
{
    long s = (long)(seconds + .5);
    if (s >= 3600)
        fprintf(stderr, "  %ld:%02ld:%02ld left", s / 3600, s / 60 % 60, s % 60);
    else
        fprintf(stderr, "  %ld:%02ld left", s / 60, s % 60);
}

static void print_cells(void)
{
    char cells[BAR_CELLS + 1];
    double share = bar.now.share < 1 ? bar.now.share : 1;
    memset(cells, ' ', BAR_CELLS);
    memset(cells, '=', (size_t)(share * BAR_CELLS));
    cells[BAR_CELLS] = '\0';
    fprintf(stderr, " [%s] %3d%%  %ld/%ld", cells, (int)(share * 100), bar.now.done, bar.now.total);
}

/* What earlier runs had done took no time now, so it says nothing of what is left. */
static void print_rate(double seconds)
{
    double share = (bar.now.share - bar.now.skipped) - (bar.first.share - bar.first.skipped);
    if (bar.now.frames > bar.first.frames)
        fprintf(stderr, "  %.3g frames/s", (double)(bar.now.frames - bar.first.frames) / seconds);
    else if (bar.now.done > bar.first.done)
        fprintf(stderr, "  %.3g/s", (double)(bar.now.done - bar.first.done) / seconds);
    if (share > 0 && bar.now.share < 1)
        print_left((1 - bar.now.share) / share * seconds);
}

/* videos [======            ]  25%  3/12  98.1 frames/s  0:06 left */
static void draw(double time)
{
    terminal_wipe();
    fprintf(stderr, "\r%s", bar.what);
    if (bar.now.total > 0)
        print_cells();
    else
        fprintf(stderr, "  %ld", bar.now.done);
    if (time > bar.began)
        print_rate(time - bar.began);
    fflush(stderr);
    bar.shown = true;
    bar.drawn = time;
}

static void progress(const i3d_progress *progress, void *context)
{
    (void)context;
    double time = clock_seconds();
    if (strcmp(bar.what, progress->what) != 0 || progress->done < bar.now.done) {
        snprintf(bar.what, sizeof bar.what, "%s", progress->what);
        bar.began = time;
        bar.first = *progress;
        bar.drawn = 0;
    }
    bar.now = *progress;
    if (progress->total > 0 && progress->done >= progress->total)
        terminal_wipe();
    else if (time - bar.drawn >= .1)
        draw(time);
}

static bool quiet;

/* Of several processes which one this is. */
static struct {
    bool shared;
    int rank;
} team;

static void remark(const char *text, void *context)
{
    (void)context;
    terminal_wipe();
    if (team.rank)
        fprintf(stderr, "process %d: ", team.rank);
    print_escaped(stderr, text);
    fputc('\n', stderr);
}

void terminal_fail(const char *sentence)
{
    terminal_wipe();
    fputs("i3d: ", stderr);
    remark(sentence, NULL);
}

void terminal_guard(void)
{
    /* Reading what was closed for input, and writing what was for output, fails as it would. */
    static const int modes[] = { O_WRONLY, O_RDONLY, O_WRONLY };
    for (int i = 0; i <= STDERR_FILENO; i++)
        if (fcntl(i, F_GETFD) < 0 && open("/dev/null", modes[i]) != i)
            _exit(EXIT_FAILURE);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
}

static void stop(int signal_number)
{
    static volatile sig_atomic_t asked;
    if (asked || team.shared)
        _exit(128 + signal_number);
    asked = 1;
    i3d_interrupt();
}

void terminal_begin(const struct options *options)
{
    struct sigaction action = { .sa_handler = stop, .sa_flags = SA_RESTART };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    quiet = option_flag(options, "quiet");
    if (quiet)
        return;
    i3d_log_to(remark, NULL);
    if (isatty(STDERR_FILENO))
        i3d_progress_to(progress, NULL);
}

void terminal_share(int rank)
{
    team.shared = true;
    team.rank = rank;
    if (rank) {
        i3d_progress_to(NULL, NULL);
        i3d_log_to(NULL, NULL);
    }
}

void terminal_speak(void)
{
    if (!quiet)
        i3d_log_to(remark, NULL);
}

void terminal_end(void)
{
    i3d_progress_to(NULL, NULL);
    i3d_log_to(NULL, NULL);
    terminal_wipe();
}
