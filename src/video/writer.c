#include <i3d/video.h>

#include "base/failure.h"
#include "base/memory.h"
#include "video/ffmpeg.h"
#include "video/output.h"

#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
#include <string.h>

struct i3d_video_writer {
    struct output output;
    AVStream *stream;
    AVCodecContext *codec;
    AVPacket *packet;
    AVFrame *rgb, *frame; /* as given, in padded rows; as the encoder wants it */
    struct SwsContext *converter;
    int64_t next_pts;
};

/* What each extension is written as. FFV1 keeps the pixels as they are. */
static const struct encoding {
    const char *extension, *encoders[2]; /* the first that this FFmpeg has */
    enum AVPixelFormat pixels;
} encodings[] = {
    { ".avi", { "mpeg4" }, AV_PIX_FMT_YUV420P },
    { ".mp4", { "libx264", "mpeg4" }, AV_PIX_FMT_YUV420P },
    { ".mov", { "libx264", "mpeg4" }, AV_PIX_FMT_YUV420P },
    { ".mkv", { "ffv1" }, AV_PIX_FMT_BGR0 },
    { ".mjpeg", { "mjpeg" }, AV_PIX_FMT_YUVJ420P },
};

static i3d_status find_encoding(const char *path, const struct encoding **out,
                                const AVCodec **codec)
{
    const char *extension = strrchr(path_name(path), '.');
    for (size_t i = 0; extension && i < sizeof encodings / sizeof *encodings; i++) {
        if (strcmp(encodings[i].extension, extension) != 0)
            continue;
        *out = &encodings[i];
        *codec = avcodec_find_encoder_by_name(encodings[i].encoders[0]);
        if (!*codec && encodings[i].encoders[1])
            *codec = avcodec_find_encoder_by_name(encodings[i].encoders[1]);
        if (!*codec)
            return failure(I3D_EUNSUPPORTED, "this FFmpeg has no encoder for '%s'", path);
        return I3D_OK;
    }
    return failure(I3D_EINVAL, "cannot write '%s': videos end in .avi, .mp4, .mov, .mkv or .mjpeg",
                   path);
}

static i3d_status open_encoder(i3d_video_writer *writer, const AVCodec *codec,
                               enum AVPixelFormat pixels, int width, int height, double fps)
{
    writer->codec = avcodec_alloc_context3(codec);
    writer->stream = avformat_new_stream(writer->output.format, NULL);
    if (!writer->codec || !writer->stream)
        return failure(I3D_ENOMEM, "no memory to write '%s'", writer->output.file.path);
    AVCodecContext *context = writer->codec;
    context->width = width;
    context->height = height;
    context->pix_fmt = pixels;
    context->framerate = av_d2q(fps, 1001000);
    context->time_base = av_inv_q(context->framerate);
    context->thread_count = 1; /* the same bytes on every machine */
    context->flags |= AV_CODEC_FLAG_BITEXACT | AV_CODEC_FLAG_QSCALE;
    context->global_quality = 2 * FF_QP2LAMBDA;
    if (writer->output.format->oformat->flags & AVFMT_GLOBALHEADER)
        context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    av_opt_set(context->priv_data, "crf", "17", 0); /* of libx264; the others have none */
    int error = avcodec_open2(context, codec, NULL);
    if (error == 0)
        error = avcodec_parameters_from_context(writer->stream->codecpar, context);
    writer->stream->time_base = context->time_base;
    writer->stream->avg_frame_rate = context->framerate;
    if (error == 0)
        error = avformat_write_header(writer->output.format, NULL);
    if (error < 0)
        return failure(I3D_EINVAL, "cannot write '%s' of %d x %d pixels as %s: %s",
                       writer->output.file.path, width, height, codec->name, ffmpeg_reason(error));
    return I3D_OK;
}

static AVFrame *new_frame(enum AVPixelFormat pixels, int width, int height)
{
    AVFrame *frame = av_frame_alloc();
    if (!frame)
        return NULL;
    frame->format = pixels;
    frame->width = width;
    frame->height = height;
    if (av_frame_get_buffer(frame, 0) < 0)
        av_frame_free(&frame);
    return frame;
}

static i3d_status open_frames(i3d_video_writer *writer)
{
    const AVCodecContext *context = writer->codec;
    int width = context->width, height = context->height;
    writer->packet = av_packet_alloc();
    writer->rgb = new_frame(AV_PIX_FMT_RGB24, width, height);
    writer->frame = new_frame(context->pix_fmt, width, height);
    writer->converter =
        sws_getContext(width, height, AV_PIX_FMT_RGB24, width, height, context->pix_fmt,
                       SWS_BICUBIC | SWS_ACCURATE_RND | SWS_BITEXACT, NULL, NULL, NULL);
    if (!writer->packet || !writer->rgb || !writer->frame || !writer->converter)
        return failure(I3D_ENOMEM, "no memory to write '%s'", writer->output.file.path);
    return I3D_OK;
}

i3d_status i3d_video_writer_open(const char *path, int width, int height, double fps,
                                 i3d_video_writer **out)
{
    i3d_status status;
    const struct encoding *encoding = NULL;
    const AVCodec *codec;
    i3d_video_writer *writer = NULL;
    *out = NULL;
    if (width < 1 || height < 1 || !(fps > 0 && fps <= 1000))
        return failure(I3D_EINVAL, "a video of %d x %d pixels at %g frames a second cannot be",
                       width, height, fps);
    ffmpeg_hush();
    TRY(memory_get(1, sizeof *writer, &writer));
    TRY(find_encoding(path, &encoding, &codec));
    TRY(output_begin(path, &writer->output));
    TRY(open_encoder(writer, codec, encoding->pixels, width, height, fps));
    TRY(open_frames(writer));
out:
    if (status == I3D_OK)
        *out = writer;
    else
        i3d_video_writer_close(writer);
    return status;
}

/* Encodes `frame` (NULL: what the encoder holds back) and writes the packets that come. */
static i3d_status encode(i3d_video_writer *writer, const AVFrame *frame)
{
    int error = avcodec_send_frame(writer->codec, frame);
    while (error >= 0) {
        error = avcodec_receive_packet(writer->codec, writer->packet);
        if (error == AVERROR(EAGAIN) || error == AVERROR_EOF)
            return I3D_OK;
        if (error < 0)
            break;
        av_packet_rescale_ts(writer->packet, writer->codec->time_base, writer->stream->time_base);
        error = av_interleaved_write_frame(writer->output.format, writer->packet);
    }
    return output_failure(&writer->output, error);
}

i3d_status i3d_video_writer_add(i3d_video_writer *writer, const i3d_image *rgb)
{
    AVFrame *from = writer->rgb, *frame = writer->frame;
    if (rgb->width != from->width || rgb->height != from->height || rgb->channels != 3)
        return failure(I3D_EINVAL,
                       "'%s' is of %d x %d pixels and 3 channels; a frame is of %d x %d and %d",
                       writer->output.file.path, from->width, from->height, rgb->width, rgb->height,
                       rgb->channels);
    size_t row = (size_t)rgb->width * 3;
    for (int y = 0; y < rgb->height; y++)
        memcpy(from->data[0] + (ptrdiff_t)y * from->linesize[0], rgb->pixels + (size_t)y * row,
               row);
    if (av_frame_make_writable(frame) < 0)
        return failure(I3D_ENOMEM, "no memory to write '%s'", writer->output.file.path);
    sws_scale(writer->converter, (const uint8_t *const *)from->data, from->linesize, 0, rgb->height,
              frame->data, frame->linesize);
    frame->pts = writer->next_pts++;
    frame->quality = writer->codec->global_quality;
    return encode(writer, frame);
}

i3d_status i3d_video_writer_finish(i3d_video_writer *writer)
{
    i3d_status status = encode(writer, NULL);
    if (status != I3D_OK)
        return status;
    return output_commit(&writer->output);
}

void i3d_video_writer_close(i3d_video_writer *writer)
{
    if (!writer)
        return;
    sws_freeContext(writer->converter);
    av_frame_free(&writer->rgb);
    av_frame_free(&writer->frame);
    av_packet_free(&writer->packet);
    avcodec_free_context(&writer->codec);
    output_discard(&writer->output);
    memory_free(writer);
}
