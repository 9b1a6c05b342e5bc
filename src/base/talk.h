/* What the library says while it works, and how it is told to stop. */
#ifndef I3D_BASE_TALK_H
#define I3D_BASE_TALK_H

#include <i3d/status.h>

#include <stdbool.h>

/* Says one line through i3d_log_to(). Any thread. */
void talk(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Shows progress through i3d_progress_to(). Any thread; the calls are serialised. */
void talk_progress(const char *what, long done, long total);
void talk_progress_in_parts(const i3d_progress *progress);

/* True once i3d_interrupt() was called: long loops ask between two units of work. */
bool interrupted(void);

/* I3D_OK, or I3D_EINTERRUPTED with its sentence: for TRY(). */
i3d_status check_interrupt(void);

/* Work that can go on later is asked to come to an end in good order. Safe in a signal handler. */
void finish_ask(void);
bool finish_asked(void);
void finish_clear(void);

/* Forgets an earlier i3d_interrupt(); for tests and for programs that go on. */
void interrupt_clear(void);

#endif
