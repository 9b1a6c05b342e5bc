#include "base/failure.h"
#include "base/memory.h"
#include "video/ffmpeg.h"
#include "video/output.h"
#include "store/pack.h"
#include "store/pack_codec.h"

#include <stdio.h>

struct pack_writer {
    struct output output;
    AVPacket *packet;
    int planes;
    int64_t added; /* pictures */
};

static i3d_status add_track(struct pack_writer *writer, const struct pack_about *about, int plane)
{
    i3d_status status = I3D_OK;
    AVStream *stream = avformat_new_stream(writer->output.format, NULL);
    if (!stream)
        return failure(I3D_ENOMEM, "no memory to write '%s'", writer->output.file.path);
    AVCodecParameters *codec = stream->codecpar;
    int channels = about->planes == 1 ? 3 : 1;
    if (about->lossless) {
        status = ffv1_describe(about->width, about->height, channels, codec);
    } else {
        codec->codec_type = AVMEDIA_TYPE_VIDEO;
        codec->codec_id = AV_CODEC_ID_MJPEG;
        codec->width = about->width;
        codec->height = about->height;
        codec->format = channels == 1 ? AV_PIX_FMT_GRAY8 : AV_PIX_FMT_YUVJ420P;
    }
    stream->time_base = (AVRational){ 1, 1000 };
    stream->avg_frame_rate = (AVRational){ 1000, PACK_FRAME_MS };
    if (about->planes == 2)
        av_dict_set(&stream->metadata, "title", plane == 0 ? "x" : "y", 0);
    return status;
}

static void set_tags(AVDictionary **tags, const struct pack_about *about)
{
    char bound[32];
    av_dict_set(tags, "I3D_STORE", about->planes == 1 ? "rgb" : "flow", 0);
    if (about->planes == 1)
        return;
    snprintf(bound, sizeof bound, "%.17g", about->bound);
    av_dict_set(tags, "I3D_BOUND", bound, 0);
    av_dict_set(tags, "I3D_MAPPING", "byte = round((motion + bound) * 255 / (2 * bound))", 0);
}

i3d_status pack_writer_create(const char *path, const struct pack_about *about,
                              struct pack_writer **out)
{
    i3d_status status;
    struct pack_writer *writer = NULL;
    *out = NULL;
    ffmpeg_hush();
    TRY(memory_get(1, sizeof *writer, &writer));
    TRY(output_begin(path, &writer->output));
    writer->planes = about->planes;
    writer->packet = av_packet_alloc();
    if (!writer->packet)
        TRY(failure(I3D_ENOMEM, "no memory to write '%s'", path));
    for (int plane = 0; plane < about->planes; plane++)
        TRY(add_track(writer, about, plane));
    set_tags(&writer->output.format->metadata, about);
    int error = avformat_write_header(writer->output.format, NULL);
    if (error < 0)
        status = output_failure(&writer->output, error);
out:
    if (status == I3D_OK)
        *out = writer;
    else
        pack_writer_free(writer);
    return status;
}

i3d_status pack_writer_add(struct pack_writer *writer, int plane, const uint8_t *data, size_t bytes)
{
    AVPacket *packet = writer->packet;
    if (bytes > INT_MAX)
        return failure(I3D_EUNSUPPORTED, "a picture of %zu bytes does not fit in '%s'", bytes,
                       writer->output.file.path);
    /* Borrowed: the muxer only reads it, and copies what it has to keep. */
    memcpy(&packet->data, &data, sizeof data);
    packet->size = (int)bytes;
    packet->stream_index = plane;
    packet->pts = packet->dts = writer->added++ / writer->planes * PACK_FRAME_MS;
    packet->duration = PACK_FRAME_MS;
    packet->flags = AV_PKT_FLAG_KEY;
    int error = av_write_frame(writer->output.format, packet);
    if (error < 0 || writer->output.io->error < 0)
        return output_failure(&writer->output, error);
    return I3D_OK;
}

i3d_status pack_writer_commit(struct pack_writer *writer)
{
    return output_commit(&writer->output);
}

void pack_writer_free(struct pack_writer *writer)
{
    if (!writer)
        return;
    av_packet_free(&writer->packet);
    output_discard(&writer->output);
    memory_free(writer);
}
