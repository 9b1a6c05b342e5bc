/* What the two sides of a pack agree on. */
#ifndef I3D_STORE_PACK_CODEC_H
#define I3D_STORE_PACK_CODEC_H

#include <libavcodec/avcodec.h>

enum { PACK_FRAME_MS = 40 };

/* How FFV1 lays out a picture of `channels`. */
static inline enum AVPixelFormat pack_pixels(int channels)
{
    return channels == 1 ? AV_PIX_FMT_GRAY8 : AV_PIX_FMT_BGR0;
}

/* Fills in what a Matroska track of FFV1 has to tell. */
i3d_status ffv1_describe(int width, int height, int channels, AVCodecParameters *out);

#endif
