/* A file that FFmpeg writes and that appears whole or not at all. */
#ifndef I3D_VIDEO_OUTPUT_H
#define I3D_VIDEO_OUTPUT_H

#include "base/file.h"

#include <libavformat/avformat.h>

struct output {
    struct file_writer file;
    AVIOContext *io;
    AVFormatContext *format; /* the caller adds streams and writes the header and packets */
};

/* The path's extension chooses the container. */
i3d_status output_begin(const char *path, struct output *out);

/* What went wrong: the disk's own reason where it has one, else FFmpeg's `error`. */
i3d_status output_failure(const struct output *output, int error);

/* Writes the trailer and puts the file in its place. */
i3d_status output_commit(struct output *output);

/* Frees; without a commit before it, nothing is left on disk. Zeroed memory is fine. */
void output_discard(struct output *output);

#endif
