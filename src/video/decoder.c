#include "video/decoder.h"
#include "base/failure.h"
#include "base/talk.h"
#include "video/ffmpeg.h"

enum { PIXELS_MAX = 1 << 28 };

/* A video stream of a known codec, no cover picture. */
static bool is_video(const AVStream *stream)
{
    return stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
           !(stream->disposition & AV_DISPOSITION_ATTACHED_PIC) &&
           stream->codecpar->codec_id != AV_CODEC_ID_NONE;
}

static i3d_status find_streams(struct decoder *decoder)
{
    int error = avformat_find_stream_info(decoder->input.format, NULL);
    i3d_status status = input_check(&decoder->input);
    if (status != I3D_OK || error >= 0)
        return status;
    return failure(I3D_EFORMAT, "'%s' cannot be read as a video: %s", decoder->input.path,
                   ffmpeg_reason(error));
}

static i3d_status open_stream(struct decoder *decoder)
{
    for (unsigned i = 0; i < decoder->input.format->nb_streams; i++) {
        AVStream *stream = decoder->input.format->streams[i];
        if (!decoder->stream && is_video(stream))
            decoder->stream = stream;
        else
            stream->discard = AVDISCARD_ALL;
    }
    if (!decoder->stream)
        return failure(I3D_EFORMAT, "'%s' has no video stream that this FFmpeg knows",
                       decoder->input.path);
    if (decoder->input.format->start_time != AV_NOPTS_VALUE)
        decoder->start = av_rescale_q(decoder->input.format->start_time, AV_TIME_BASE_Q,
                                      decoder->stream->time_base);
    return I3D_OK;
}

static i3d_status open_codec(struct decoder *decoder, int threads)
{
    const AVCodecParameters *parameters = decoder->stream->codecpar;
    if (parameters->width <= 0 || parameters->height <= 0)
        return failure(I3D_EFORMAT, "'%s' does not say how large its frames are: %s",
                       decoder->input.path, ffmpeg_reason(AVERROR_INVALIDDATA));
    const AVCodec *codec = avcodec_find_decoder(parameters->codec_id);
    if (!codec)
        return failure(I3D_EUNSUPPORTED, "'%s' is coded as %s, which this FFmpeg cannot decode",
                       decoder->input.path, avcodec_get_name(parameters->codec_id));
    decoder->codec = avcodec_alloc_context3(codec);
    decoder->packet = av_packet_alloc();
    decoder->frame = av_frame_alloc();
    if (!decoder->codec || !decoder->packet || !decoder->frame)
        return failure(I3D_ENOMEM, "no memory to decode '%s'", decoder->input.path);
    int error = avcodec_parameters_to_context(decoder->codec, parameters);
    decoder->codec->pkt_timebase = decoder->stream->time_base;
    decoder->codec->thread_count = threads;
    decoder->codec->max_pixels = PIXELS_MAX;
    if (error == 0)
        error = avcodec_open2(decoder->codec, codec, NULL);
    if (error < 0)
        return failure(I3D_EFORMAT, "'%s' cannot be decoded as %s: %s", decoder->input.path,
                       codec->name, ffmpeg_reason(error));
    return I3D_OK;
}

i3d_status decoder_open(const char *path, int threads, double limit, struct decoder *out)
{
    i3d_status status;
    *out = (struct decoder){ 0 };
    TRY(input_open(path, NULL, limit, &out->input));
    TRY(find_streams(out));
    TRY(open_stream(out));
    TRY(open_codec(out, threads));
    input_stop(&out->input);
out:
    if (status != I3D_OK)
        decoder_close(out);
    return status;
}

void decoder_close(struct decoder *decoder)
{
    av_frame_free(&decoder->frame);
    av_packet_free(&decoder->packet);
    avcodec_free_context(&decoder->codec);
    input_close(&decoder->input);
    *decoder = (struct decoder){ 0 };
}

/* Gives the decoder the next packet, or the news that there is none. */
static i3d_status feed(struct decoder *decoder)
{
    AVPacket *packet = decoder->packet;
    int error;
    do {
        av_packet_unref(packet);
        error = av_read_frame(decoder->input.format, packet);
    } while (error == 0 && packet->stream_index != decoder->stream->index);
    i3d_status status = input_check(&decoder->input);
    if (status != I3D_OK)
        return status;
    if (error < 0) {
        /* Demuxers that know where the file should end say so here; Matroska's only to the log. */
        decoder->truncated |= error != AVERROR_EOF || ffmpeg_logged("ended prematurely");
        decoder->draining = true;
        error = avcodec_send_packet(decoder->codec, NULL);
    } else {
        /* The others give the last packet as far as it goes, marked. */
        decoder->truncated = packet->flags & AV_PKT_FLAG_CORRUPT;
        error = avcodec_send_packet(decoder->codec, packet);
    }
    if (error == AVERROR(ENOMEM))
        return failure(I3D_ENOMEM, "no memory to decode '%s'", decoder->input.path);
    decoder->wrong += error < 0;
    return I3D_OK;
}

/* The end of the stream: I3D_END if what came before it was the whole video. */
static i3d_status finish(const struct decoder *decoder)
{
    if (decoder->truncated ||
        (input_is_cut_riff(&decoder->input) && decoder->frames < decoder->stream->nb_frames))
        return failure(I3D_EFORMAT,
                       "'%s' is cut short: only %ld frames could be read; copy it again",
                       decoder->input.path, decoder->frames);
    if (decoder->frames == 0)
        return failure(I3D_EFORMAT, "'%s' has no frames: %s", decoder->input.path,
                       ffmpeg_reason(decoder->wrong ? AVERROR_INVALIDDATA : AVERROR_EOF));
    if (decoder->wrong > 2 * decoder->frames) /* where ffmpeg gives up too */
        return failure(I3D_EFORMAT, "'%s' is damaged: %ld packets could not be decoded, %ld could",
                       decoder->input.path, decoder->wrong, decoder->frames);
    if (decoder->wrong)
        talk("'%s': %ld damaged packets were left out", decoder->input.path, decoder->wrong);
    return I3D_END;
}

AVRational decoder_rate(const struct decoder *decoder)
{
    const AVStream *stream = decoder->stream;
    AVRational average = stream->avg_frame_rate, base = stream->r_frame_rate;
    if (average.num > 0 && average.den > 0)
        return average;
    return base.num > 0 && base.den > 0 ? base : (AVRational){ 25, 1 };
}

/* Where the file says nothing, a frame follows its predecessor at the average rate. */
static void set_time(struct decoder *decoder, AVFrame *frame)
{
    if (frame->FFMPEG_DURATION <= 0)
        frame->FFMPEG_DURATION =
            av_rescale_q(1, av_inv_q(decoder_rate(decoder)), decoder->stream->time_base);
    frame->pts = frame->best_effort_timestamp == AV_NOPTS_VALUE
                     ? decoder->next_pts
                     : frame->best_effort_timestamp - decoder->start;
    decoder->next_pts = frame->pts + frame->FFMPEG_DURATION;
}

static i3d_status receive(struct decoder *decoder)
{
    for (;;) {
        int error = avcodec_receive_frame(decoder->codec, decoder->frame);
        if (error == 0)
            return I3D_OK;
        if (error == AVERROR_EOF || (decoder->draining && error == AVERROR(EAGAIN)))
            return finish(decoder);
        if (error == AVERROR(ENOMEM))
            return failure(I3D_ENOMEM, "no memory to decode '%s'", decoder->input.path);
        if (error != AVERROR(EAGAIN)) {
            decoder->wrong++;
            continue;
        }
        i3d_status status = feed(decoder);
        if (status != I3D_OK)
            return status;
    }
}

i3d_status decoder_next(struct decoder *decoder, AVFrame *out)
{
    input_start(&decoder->input);
    i3d_status status = receive(decoder);
    input_stop(&decoder->input);
    if (status != I3D_OK)
        return status;
    set_time(decoder, decoder->frame);
    decoder->frames++;
    av_frame_unref(out);
    av_frame_move_ref(out, decoder->frame);
    return I3D_OK;
}
