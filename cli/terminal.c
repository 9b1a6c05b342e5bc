#include "terminal.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BAR_CELLS = 24 };

/* The bar on screen. The library calls from one thread at a time. */
static struct {
    bool shown;
    char what[128];
    long first, done;
    double began, drawn; /* seconds */
} bar;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

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

/* videos [======            ]  25%  3/12  1.4/s  0:06 left */
static void draw(long total, double time)
{
    char cells[BAR_CELLS + 1];
    double rate = time > bar.began ? (double)(bar.done - bar.first) / (time - bar.began) : 0;
    terminal_wipe();
    fprintf(stderr, "\r%s", bar.what);
    if (total > 0) {
        long filled = bar.done < total ? bar.done * BAR_CELLS / total : BAR_CELLS;
        memset(cells, ' ', BAR_CELLS);
        memset(cells, '=', (size_t)filled);
        cells[BAR_CELLS] = '\0';
        fprintf(stderr, " [%s] %3ld%%  %ld/%ld", cells, bar.done * 100 / total, bar.done, total);
    } else {
        fprintf(stderr, "  %ld", bar.done);
    }
    if (rate > 0)
        fprintf(stderr, "  %.3g/s", rate);
    if (rate > 0 && total > bar.done)
        print_left((double)(total - bar.done) / rate);
    fflush(stderr);
    bar.shown = true;
    bar.drawn = time;
}

static void progress(const char *what, long done, long total, void *context)
{
    (void)context;
    double time = now();
    if (strcmp(bar.what, what) != 0 || done < bar.done) {
        snprintf(bar.what, sizeof bar.what, "%s", what);
        bar.began = time;
        bar.first = done;
        bar.drawn = 0;
    }
    bar.done = done;
    if (total > 0 && done >= total)
        terminal_wipe();
    else if (time - bar.drawn >= .1)
        draw(total, time);
}

static void remark(const char *text, void *context)
{
    (void)context;
    terminal_wipe();
    fprintf(stderr, "%s\n", text);
}

static void stop(int signal_number)
{
    static volatile sig_atomic_t asked;
    if (asked)
        _exit(128 + signal_number);
    asked = 1;
    i3d_interrupt();
}

void terminal_begin(const struct options *options)
{
    struct sigaction action = { .sa_handler = stop, .sa_flags = SA_RESTART };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (option_flag(options, "quiet"))
        return;
    i3d_log_to(remark, NULL);
    if (isatty(STDERR_FILENO))
        i3d_progress_to(progress, NULL);
}

void terminal_end(void)
{
    i3d_progress_to(NULL, NULL);
    i3d_log_to(NULL, NULL);
    terminal_wipe();
}
