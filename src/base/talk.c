#include "base/talk.h"
#include "base/failure.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static i3d_log_function log_function;
static void *log_context;
static i3d_progress_function progress_function;
static void *progress_context;
static volatile sig_atomic_t stop, finish;

void i3d_log_to(i3d_log_function function, void *context)
{
    pthread_mutex_lock(&lock);
    log_function = function;
    log_context = context;
    pthread_mutex_unlock(&lock);
}

void i3d_progress_to(i3d_progress_function function, void *context)
{
    pthread_mutex_lock(&lock);
    progress_function = function;
    progress_context = context;
    pthread_mutex_unlock(&lock);
}

void talk(const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    pthread_mutex_lock(&lock);
    if (log_function)
        log_function(text, log_context);
    pthread_mutex_unlock(&lock);
}

void talk_progress(const char *what, long done, long total)
{
    double share = total > 0 ? (double)done / (double)total : 0;
    talk_progress_in_parts(&(i3d_progress){ what, done, total, .share = share });
}

void talk_progress_in_parts(const i3d_progress *progress)
{
    pthread_mutex_lock(&lock);
    if (progress_function)
        progress_function(progress, progress_context);
    pthread_mutex_unlock(&lock);
}

void i3d_interrupt(void)
{
    stop = 1;
}

bool interrupted(void)
{
    return stop != 0;
}

i3d_status check_interrupt(void)
{
    if (!stop)
        return I3D_OK;
    return failure(I3D_EINTERRUPTED, "stopped on request; run the same command again to go on");
}

void finish_ask(void)
{
    finish = 1;
}

bool finish_asked(void)
{
    return finish != 0;
}

void finish_clear(void)
{
    finish = 0;
}

void interrupt_clear(void)
{
    stop = 0;
}
