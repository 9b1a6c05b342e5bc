/* Talk on stderr: remarks, the progress bar, and what Ctrl-C does. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include "option.h"

/* Remarks and a bar from now on, unless --quiet; the bar only where stderr is a terminal. The first
 * SIGINT or SIGTERM asks the work to stop at its next safe point, the second ends at once. */
void terminal_begin(const struct options *options);

/* This is process `rank` of several that share the work. What fails is told by any of them, with
 * its number; remarks only by the first, and by others from terminal_speak() on, when what they say
 * is of their own share. It may be waiting for another one when SIGTERM or SIGINT comes, so they
 * end it at once. */
void terminal_share(int rank);
void terminal_speak(void);

/* Silence again. */
void terminal_end(void);

/* "i3d: " and what failed, as one line on stderr, whatever is in it. */
void terminal_fail(const char *sentence);

/* Before all else: no standard stream that was closed becomes the next file that is opened, and
 * where a reader or the room for a file ends is an error of the write. */
void terminal_guard(void);

/* Takes the bar away until the next progress, so that a line can be printed. */
void terminal_wipe(void);

#endif
