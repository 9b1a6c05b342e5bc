#include "store/ffv1.h"
#include "base/failure.h"
#include "base/memory.h"
#include "video/ffmpeg.h"
#include "store/pack_codec.h"

#include <string.h>

struct ffv1_encoder {
    AVCodecContext *codec;
    AVFrame *frame;
    AVPacket *packet;
};

static i3d_status open_codec(AVCodecContext *codec, int width, int height, int channels)
{
    codec->width = width;
    codec->height = height;
    codec->pix_fmt = pack_pixels(channels);
    codec->time_base = (AVRational){ PACK_FRAME_MS, 1000 };
    codec->gop_size = 1;     /* each picture on its own */
    codec->level = 3;        /* with a checksum */
    codec->thread_count = 1; /* the same bytes on every machine */
    codec->flags |= AV_CODEC_FLAG_BITEXACT;
    int error = avcodec_open2(codec, codec->codec, NULL);
    if (error < 0)
        return failure(I3D_EINVAL, "cannot code pictures of %d x %d as FFV1: %s", width, height,
                       ffmpeg_reason(error));
    return I3D_OK;
}

i3d_status ffv1_encoder_create(int width, int height, int channels, struct ffv1_encoder **out)
{
    i3d_status status;
    struct ffv1_encoder *encoder = NULL;
    const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_FFV1);
    *out = NULL;
    ffmpeg_hush();
    if (!codec)
        return failure(I3D_EUNSUPPORTED, "this FFmpeg has no encoder for FFV1");
    TRY(memory_get(1, sizeof *encoder, &encoder));
    encoder->codec = avcodec_alloc_context3(codec);
    encoder->frame = av_frame_alloc();
    encoder->packet = av_packet_alloc();
    if (!encoder->codec || !encoder->frame || !encoder->packet)
        TRY(failure(I3D_ENOMEM, "no memory to code pictures as FFV1"));
    TRY(open_codec(encoder->codec, width, height, channels));
    encoder->frame->format = encoder->codec->pix_fmt;
    encoder->frame->width = width;
    encoder->frame->height = height;
    if (av_frame_get_buffer(encoder->frame, 0) < 0)
        TRY(failure(I3D_ENOMEM, "no memory to code pictures as FFV1"));
out:
    if (status == I3D_OK)
        *out = encoder;
    else
        ffv1_encoder_free(encoder);
    return status;
}

static void fill(AVFrame *frame, const i3d_image *image)
{
    size_t width = (size_t)image->width;
    for (int y = 0; y < image->height; y++) {
        const uint8_t *from = image->pixels + (size_t)y * width * (size_t)image->channels;
        uint8_t *to = frame->data[0] + (ptrdiff_t)y * frame->linesize[0];
        if (image->channels == 1) {
            memcpy(to, from, width);
            continue;
        }
        for (size_t x = 0; x < width; x++, from += 3, to += 4) {
            to[0] = from[2];
            to[1] = from[1];
            to[2] = from[0];
            to[3] = 0;
        }
    }
}

i3d_status ffv1_encode(struct ffv1_encoder *encoder, const i3d_image *image, const uint8_t **data,
                       size_t *bytes)
{
    const AVCodecContext *codec = encoder->codec;
    if (image->width != codec->width || image->height != codec->height ||
        pack_pixels(image->channels) != codec->pix_fmt)
        return failure(I3D_EINVAL, "a picture of %d x %d among those of %d x %d", image->width,
                       image->height, codec->width, codec->height);
    if (av_frame_make_writable(encoder->frame) < 0)
        return failure(I3D_ENOMEM, "no memory to code pictures as FFV1");
    fill(encoder->frame, image);
    encoder->frame->pts++;
    av_packet_unref(encoder->packet);
    int error = avcodec_send_frame(encoder->codec, encoder->frame);
    if (error == 0)
        error = avcodec_receive_packet(encoder->codec, encoder->packet);
    if (error < 0)
        return failure(I3D_EINVAL, "cannot code a picture of %d x %d as FFV1: %s", image->width,
                       image->height, ffmpeg_reason(error));
    *data = encoder->packet->data;
    *bytes = (size_t)encoder->packet->size;
    return I3D_OK;
}

i3d_status ffv1_describe(int width, int height, int channels, AVCodecParameters *out)
{
    struct ffv1_encoder *encoder;
    i3d_status status = ffv1_encoder_create(width, height, channels, &encoder);
    if (status != I3D_OK)
        return status;
    if (avcodec_parameters_from_context(out, encoder->codec) < 0)
        status = failure(I3D_ENOMEM, "no memory to code pictures as FFV1");
    ffv1_encoder_free(encoder);
    return status;
}

void ffv1_encoder_free(struct ffv1_encoder *encoder)
{
    if (!encoder)
        return;
    avcodec_free_context(&encoder->codec);
    av_frame_free(&encoder->frame);
    av_packet_free(&encoder->packet);
    memory_free(encoder);
}
