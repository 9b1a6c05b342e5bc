#include "base/failure.h"
#include "base/memory.h"
#include "image/image.h"
#include "video/ffmpeg.h"
#include "store/pack.h"
#include "store/pack_codec.h"
#include "video/input.h"

#include <limits.h>
#include <string.h>

enum { PIXELS_MAX = 1 << 28 };

struct pack_reader {
    struct input input;
    AVCodecContext *codec; /* NULL: JPEG */
    AVPacket *packet;
    AVFrame *frame;
    int planes;
    long frames;
    long next; /* picture, frame * planes + plane, that the file's next packet is; -1: unknown */
};

static i3d_status refuse(const struct pack_reader *reader, const char *why)
{
    return failure(I3D_EFORMAT, "'%s' is no store of frames or flow: %s", reader->input.path, why);
}

static i3d_status open_format(const char *path, struct pack_reader *reader)
{
    i3d_status status = input_open(path, "matroska", 0, &reader->input);
    if (status == I3D_OK)
        reader->input.format->flags |= AVFMT_FLAG_NOPARSE | AVFMT_FLAG_NOFILLIN;
    return status;
}

/* The tags, the tracks and the length are as pack_writer makes them. */
static i3d_status examine(struct pack_reader *reader)
{
    const AVFormatContext *format = reader->input.format;
    const AVDictionaryEntry *kind = av_dict_get(format->metadata, "I3D_STORE", NULL, 0);
    if (!kind)
        return refuse(reader, "it has no tag I3D_STORE");
    reader->planes = strcmp(kind->value, "flow") == 0 ? 2 : 1;
    if (format->nb_streams != (unsigned)reader->planes)
        return refuse(reader, "it has another number of tracks");
    enum AVCodecID codec = format->streams[0]->codecpar->codec_id;
    if (codec != AV_CODEC_ID_MJPEG && codec != AV_CODEC_ID_FFV1)
        return refuse(reader, "it is neither JPEG nor FFV1");
    int64_t frames = format->duration / (AV_TIME_BASE / 1000 * PACK_FRAME_MS);
    if (frames < 1 || frames > INT_MAX)
        return refuse(reader, "it does not tell how long it is");
    reader->frames = (long)frames;
    return I3D_OK;
}

static i3d_status open_codec(struct pack_reader *reader)
{
    const AVCodecParameters *parameters = reader->input.format->streams[0]->codecpar;
    reader->packet = av_packet_alloc();
    if (!reader->packet)
        return failure(I3D_ENOMEM, "no memory to read '%s'", reader->input.path);
    if (parameters->codec_id != AV_CODEC_ID_FFV1)
        return I3D_OK;
    const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_FFV1);
    if (!codec)
        return failure(I3D_EUNSUPPORTED, "'%s' is of FFV1, which this FFmpeg cannot decode",
                       reader->input.path);
    reader->codec = avcodec_alloc_context3(codec);
    reader->frame = av_frame_alloc();
    if (!reader->codec || !reader->frame)
        return failure(I3D_ENOMEM, "no memory to read '%s'", reader->input.path);
    int error = avcodec_parameters_to_context(reader->codec, parameters);
    reader->codec->thread_count = 1;
    reader->codec->max_pixels = PIXELS_MAX;
    reader->codec->err_recognition = AV_EF_CRCCHECK | AV_EF_EXPLODE;
    if (error == 0)
        error = avcodec_open2(reader->codec, codec, NULL);
    return error < 0 ? refuse(reader, ffmpeg_reason(error)) : I3D_OK;
}

i3d_status pack_reader_open(const char *path, struct pack_reader **out)
{
    i3d_status status;
    struct pack_reader *reader = NULL;
    *out = NULL;
    TRY(memory_get(1, sizeof *reader, &reader));
    TRY(open_format(path, reader));
    TRY(examine(reader));
    TRY(open_codec(reader));
out:
    if (status == I3D_OK)
        *out = reader;
    else
        pack_reader_free(reader);
    return status;
}

long pack_reader_frames(const struct pack_reader *reader)
{
    return reader->frames;
}

int pack_reader_planes(const struct pack_reader *reader)
{
    return reader->planes;
}

/* The file's next packet and which picture it is; I3D_END behind the last. */
static i3d_status next_packet(struct pack_reader *reader, int64_t *picture)
{
    AVPacket *packet = reader->packet;
    av_packet_unref(packet);
    int error = av_read_frame(reader->input.format, packet);
    i3d_status status = input_check(&reader->input);
    if (status != I3D_OK)
        return status;
    if (error < 0 || packet->flags & AV_PKT_FLAG_CORRUPT)
        return I3D_END;
    /* Tracks in the manner of AVI, which FFV1's are, have decoding times. */
    int64_t time = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    if (time < 0 || time > (int64_t)INT_MAX * PACK_FRAME_MS)
        return I3D_END;
    *picture = time / PACK_FRAME_MS * reader->planes + packet->stream_index;
    return I3D_OK;
}

static i3d_status find_packet(struct pack_reader *reader, long frame, int plane)
{
    i3d_status status = I3D_OK;
    long wanted = frame * reader->planes + plane;
    int64_t picture = -1;
    if (reader->next != wanted)
        av_seek_frame(reader->input.format, 0, (int64_t)frame * PACK_FRAME_MS,
                      AVSEEK_FLAG_BACKWARD);
    while (status == I3D_OK && picture < wanted)
        status = next_packet(reader, &picture);
    reader->next = wanted + 1;
    if (status == I3D_OK && picture == wanted)
        return I3D_OK;
    reader->next = -1;
    if (status == I3D_EINTERRUPTED)
        return status;
    return failure(I3D_EFORMAT, "'%s' has %ld frames, but frame %ld is missing; make it again",
                   reader->input.path, reader->frames, frame + 1);
}

static i3d_status copy(const AVFrame *frame, int channels, const char *path, i3d_image *out)
{
    i3d_status status;
    if (frame->format != pack_pixels(channels))
        return failure(I3D_EFORMAT, "'%s' has pictures of another kind than it says", path);
    TRY(i3d_image_resize_storage(out, frame->width, frame->height, channels));
    size_t width = (size_t)frame->width;
    for (int y = 0; y < frame->height; y++) {
        const uint8_t *from = frame->data[0] + (ptrdiff_t)y * frame->linesize[0];
        uint8_t *to = out->pixels + (size_t)y * width * (size_t)channels;
        if (channels == 1) {
            memcpy(to, from, width);
            continue;
        }
        for (size_t x = 0; x < width; x++, from += 4, to += 3) {
            to[0] = from[2];
            to[1] = from[1];
            to[2] = from[0];
        }
    }
out:
    return status;
}

static i3d_status decode(struct pack_reader *reader, long frame, int channels, i3d_image *out)
{
    int error = avcodec_send_packet(reader->codec, reader->packet);
    if (error == 0)
        error = avcodec_receive_frame(reader->codec, reader->frame);
    if (error < 0)
        return failure(I3D_EFORMAT, "frame %ld of '%s' is damaged: %s", frame + 1,
                       reader->input.path, ffmpeg_reason(error));
    i3d_status status = copy(reader->frame, channels, reader->input.path, out);
    av_frame_unref(reader->frame);
    return status;
}

i3d_status pack_reader_read(struct pack_reader *reader, long frame, int plane, i3d_image *out)
{
    int channels = reader->planes == 1 ? 3 : 1;
    i3d_status status = find_packet(reader, frame, plane);
    if (status != I3D_OK)
        return status;
    if (reader->codec)
        return decode(reader, frame, channels, out);
    status = image_decode(reader->packet->data, (size_t)reader->packet->size, channels,
                          reader->input.path, out);
    return status == I3D_OK ? status : failure_prefix(status, "frame %ld of ", frame + 1);
}

i3d_status pack_reader_missing(struct pack_reader *reader, long *out)
{
    int64_t picture, last = -1;
    long there = 0;
    i3d_status status;
    av_seek_frame(reader->input.format, 0, 0, AVSEEK_FLAG_BACKWARD);
    reader->next = -1;
    while ((status = next_packet(reader, &picture)) == I3D_OK) {
        there += picture > last;
        last = picture > last ? picture : last;
    }
    *out = reader->frames * reader->planes - there;
    return status == I3D_END ? I3D_OK : status;
}

void pack_reader_free(struct pack_reader *reader)
{
    if (!reader)
        return;
    av_frame_free(&reader->frame);
    av_packet_free(&reader->packet);
    avcodec_free_context(&reader->codec);
    input_close(&reader->input);
    memory_free(reader);
}
