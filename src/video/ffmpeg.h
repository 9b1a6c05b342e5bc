/* What this folder's users of FFmpeg share: its errors as sentences, its log kept quiet. */
#ifndef I3D_VIDEO_FFMPEG_H
#define I3D_VIDEO_FFMPEG_H

#include <stdbool.h>

/* Takes FFmpeg's log, process-wide: nothing is printed, and each thread's latest error is kept. */
void ffmpeg_hush(void);

/* The text of an FFmpeg error, with what FFmpeg last logged about it in this thread, and forgets
 * that; a loan until this thread's next call. */
const char *ffmpeg_reason(int error);

/* Whether FFmpeg's latest error in this thread holds `words`. */
bool ffmpeg_logged(const char *words);

/* FFmpeg takes a path for a URL: "a:b.avi" would be of protocol "a". A path with "file:" in front
 * is always a file. */
#define FFMPEG_FILE "file:%s"

#endif
