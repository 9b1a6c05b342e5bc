/* The first video stream of a file, decoded: whole frames in presentation order. */
#ifndef I3D_VIDEO_DECODER_H
#define I3D_VIDEO_DECODER_H

#include <i3d/status.h>

#include "video/input.h"

#include <libavcodec/avcodec.h>

struct decoder {
    struct input input;
    AVStream *stream; /* the one decoded; a loan from `input` */
    AVCodecContext *codec;
    AVPacket *packet;
    AVFrame *frame;
    bool draining;      /* the file is read; the decoder gives what it held back */
    bool truncated;     /* the file ends before its last packet does */
    long frames, wrong; /* frames given; packets the decoder refused */
    int64_t start;      /* of the file, in the stream's time base */
    int64_t next_pts;   /* where the newest frame ends */
};

/* `limit`: the seconds that all its reading may take, 0: any. */
i3d_status decoder_open(const char *path, int threads, double limit, struct decoder *out);

/* The next frame, moved into `out` (unreferenced first); its `pts` counts from the start of the
 * file in the stream's time base, and it has one and a duration even where the file says
 * neither. I3D_END after the last one. A file that ends too early gives all its frames and then
 * I3D_EFORMAT; so does one without any frame. */
i3d_status decoder_next(struct decoder *decoder, AVFrame *out);

/* Frames a second, on average; 25 if the file gives no hint. */
AVRational decoder_rate(const struct decoder *decoder);

void decoder_close(struct decoder *decoder);

#endif
