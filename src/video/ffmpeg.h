/* What this folder's users of FFmpeg share: its errors as sentences, its log kept quiet. */
#ifndef I3D_VIDEO_FFMPEG_H
#define I3D_VIDEO_FFMPEG_H

#include <libavformat/avformat.h>

#include <stdbool.h>

/* Where FFmpeg 5 (Debian 12) and 7 (Debian 13) differ. */
#if LIBAVFORMAT_VERSION_MAJOR < 61
#define FFMPEG_DURATION pkt_duration
typedef uint8_t ffmpeg_written;
#else
#define FFMPEG_DURATION duration
typedef const uint8_t ffmpeg_written;
#endif

/* Of the whole stream, NULL if it has none; a loan from the stream. */
const uint8_t *ffmpeg_side_data(const AVStream *stream, enum AVPacketSideDataType type,
                                size_t *bytes);

/* Takes FFmpeg's log, process-wide: nothing is printed, and each thread's latest error is kept. */
void ffmpeg_hush(void);

/* The text of an FFmpeg error, with what FFmpeg last logged about it in this thread, and forgets
 * that; a loan until this thread's next call. */
const char *ffmpeg_reason(int error);

/* Whether FFmpeg's latest error in this thread holds `words`. */
bool ffmpeg_logged(const char *words);

#endif
