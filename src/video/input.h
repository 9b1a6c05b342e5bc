/* A file that FFmpeg reads. We open it and hand over its bytes: FFmpeg itself opens nothing, so a
 * file that names others shows none of them. */
#ifndef I3D_VIDEO_INPUT_H
#define I3D_VIDEO_INPUT_H

#include <i3d/status.h>

#include <libavformat/avformat.h>
#include <stdbool.h>

struct input {
    char *path;
    int descriptor;
    AVIOContext *io;
    AVFormatContext *format;
    /* Seconds that all reading may take (0: any), that it has taken, and since when it goes on. */
    double limit, spent, since;
};

/* Opens a container, one of those that hold their video themselves: `only` names it, NULL allows
 * each. Everything else is refused by its name, a pipe without waiting for it. The clock runs. */
i3d_status input_open(const char *path, const char *only, double limit, struct input *out);

/* Around the calls that read: what is done between them takes none of the time. */
void input_start(struct input *input);
void input_stop(struct input *input);

/* I3D_OK, or why reading must end: it was interrupted, or its time is over. */
i3d_status input_check(const struct input *input);

/* Whether an AVI says that it is longer than it is: its demuxer takes the end of a file that was
 * cut between two packets for the end of the video. */
bool input_is_cut_riff(const struct input *input);

/* Zeroed memory is fine. */
void input_close(struct input *input);

#endif
