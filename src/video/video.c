#include <i3d/video.h>

#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"
#include "video/decoder.h"
#include "video/ffmpeg.h"
#include "video/picture.h"

#include <libavutil/display.h>
#include <limits.h>

/* What resampling fills with one frame, unless asked for more: beyond it a time stamp is wrong. And
 * what it makes of a file: an hour of 25 a second whatever the file, and as many more as it has
 * room for, each of the fewest bytes that a coded frame takes with its place in the container. */
enum { GAP_MAX_SECONDS = 60, FRAMES_ANYHOW = 90000, FRAME_LEAST_BYTES = 8 };

struct i3d_video {
    struct decoder decoder;
    struct picture_maker maker;
    i3d_image image;
    bool ended;     /* the decoder has no more frames */
    AVFrame *frame; /* the newest decoded */

    /* Resampling (fps.num > 0), as ffmpeg's fps filter with round=near: at each tick of the output
     * the last frame that is not after it. */
    AVRational fps;
    AVFrame *held;    /* shown until `frame` takes over; its pts is in ticks, as that of `frame` */
    bool held_made;   /* `image` is of it */
    int64_t tick;     /* of the next output */
    int64_t end_tick; /* where the last frame ends */
    int64_t first_tick, ticks_most;
    bool fill_gaps;
};

static struct orientation stream_orientation(const AVStream *stream)
{
    size_t bytes;
    const uint8_t *matrix = ffmpeg_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &bytes);
    if (!matrix || bytes < 9 * sizeof(int32_t))
        return upright;
    return orientation_of((const int32_t *)(const void *)matrix);
}

i3d_status i3d_video_open(const char *path, const i3d_video_options *options, i3d_video **out)
{
    i3d_status status;
    i3d_video *video = NULL;
    i3d_video_options asked = options ? *options : (i3d_video_options){ 0 };
    *out = NULL;
    if (!(asked.fps >= 0 && asked.fps <= 1000) || asked.short_side < 0 || !(asked.time_limit >= 0))
        return failure(I3D_EINVAL,
                       "a rate of %g frames a second (0 to 1000), a short side of %d or a time "
                       "limit of %g seconds",
                       asked.fps, asked.short_side, asked.time_limit);
    TRY(memory_get(1, sizeof *video, &video));
    TRY(decoder_open(path, asked.threads > 0 ? asked.threads : 1, asked.time_limit,
                     &video->decoder));
    const AVStream *stream = video->decoder.stream;
    TRY(picture_maker_create(stream->codecpar->width, stream->codecpar->height, asked.short_side,
                             stream_orientation(stream), &video->maker));
    if (asked.fps > 0)
        video->fps = av_d2q(asked.fps, 1001000);
    video->fill_gaps = asked.fill_gaps;
    video->ticks_most = FRAMES_ANYHOW + avio_size(video->decoder.input.io) / FRAME_LEAST_BYTES;
    video->frame = av_frame_alloc();
    video->held = av_frame_alloc();
    if (!video->frame || !video->held)
        status = failure(I3D_ENOMEM, "no memory to decode '%s'", path);
out:
    if (status == I3D_OK)
        *out = video;
    else
        i3d_video_close(video);
    return status;
}

i3d_video_info i3d_video_get_info(const i3d_video *video)
{
    const AVStream *stream = video->decoder.stream;
    int64_t duration = video->decoder.input.format->duration;
    return (i3d_video_info){
        .width = video->maker.width,
        .height = video->maker.height,
        .fps = av_q2d(decoder_rate(&video->decoder)),
        .duration = duration > 0 ? (double)duration / AV_TIME_BASE : 0,
        .frames = (long)stream->nb_frames,
        .codec = avcodec_get_name(stream->codecpar->codec_id),
    };
}

/* The next frame of the file; `show`: with its picture. */
static i3d_status next_stored(i3d_video *video, bool show, double *time)
{
    i3d_status status = video->ended ? I3D_END : decoder_next(&video->decoder, video->frame);
    video->ended = status == I3D_END;
    if (status != I3D_OK)
        return status;
    *time = (double)video->frame->pts * av_q2d(video->decoder.stream->time_base);
    return show ? picture_make(&video->maker, video->frame, &video->image) : I3D_OK;
}

/* Where the held frame gives way, in ticks. */
static int64_t held_until(const i3d_video *video)
{
    return video->ended ? video->end_tick : video->frame->pts;
}

/* Decodes one frame and puts its time in ticks; at the end sets `ended`. */
static i3d_status decode_tick(i3d_video *video)
{
    AVRational from = video->decoder.stream->time_base, to = av_inv_q(video->fps);
    i3d_status status = decoder_next(&video->decoder, video->frame);
    video->ended = status == I3D_END;
    if (status != I3D_OK)
        return video->ended ? I3D_OK : status;
    video->frame->pts = av_rescale_q(video->frame->pts, from, to);
    video->end_tick = FFMAX(video->end_tick, av_rescale_q(video->decoder.next_pts, from, to));
    return I3D_OK;
}

/* Time stamps are a file's word: what they ask for is checked before it is made. */
static i3d_status check_ticks(const i3d_video *video)
{
    const char *path = video->decoder.input.path;
    double seconds = (double)(held_until(video) - video->tick) / av_q2d(video->fps);
    if (seconds > GAP_MAX_SECONDS && !video->fill_gaps)
        return failure(I3D_EFORMAT,
                       "the time stamps of '%s' jump by %.0f seconds; if one frame shall fill "
                       "them, add --fill-gaps",
                       path, seconds);
    int64_t ticks = held_until(video) - video->first_tick;
    if (ticks > video->ticks_most)
        return failure(I3D_EFORMAT,
                       "the time stamps of '%s' ask for %lld frames, more than the %lld that a "
                       "file of its size can have; choose a lower --fps",
                       path, (long long)ticks, (long long)video->ticks_most);
    return I3D_OK;
}

/* Holds the newest frame and decodes the one after it. */
static i3d_status advance(i3d_video *video)
{
    av_frame_unref(video->held);
    av_frame_move_ref(video->held, video->frame);
    video->held_made = false;
    i3d_status status = decode_tick(video);
    if (status != I3D_OK)
        return status;
    if (!video->held->buf[0]) {
        video->tick = video->first_tick = video->frame->pts;
        /* However short the video, its first frame is shown. */
        video->end_tick = FFMAX(video->end_tick, video->tick + 1);
    }
    return check_ticks(video);
}

static i3d_status next_resampled(i3d_video *video, bool show, double *time)
{
    i3d_status status = I3D_OK;
    while (!video->held->buf[0] || held_until(video) <= video->tick) {
        if (video->ended)
            return I3D_END;
        TRY(advance(video));
    }
    if (show && !video->held_made)
        TRY(picture_make(&video->maker, video->held, &video->image));
    video->held_made |= show;
    *time = (double)video->tick++ / av_q2d(video->fps);
out:
    return status;
}

static i3d_status go_on(i3d_video *video, bool show, double *time)
{
    return video->fps.num > 0 ? next_resampled(video, show, time) : next_stored(video, show, time);
}

i3d_status i3d_video_next(i3d_video *video, const i3d_image **out, double *time)
{
    double shown;
    i3d_status status = go_on(video, true, &shown);
    if (status == I3D_OK && time)
        *time = shown;
    *out = status == I3D_OK ? &video->image : NULL;
    return status;
}

/* Passes over at most `most` frames. */
static i3d_status pass(i3d_video *video, long most, long *passed)
{
    double time;
    i3d_status status = I3D_OK;
    for (*passed = 0; *passed < most; ++*passed) {
        TRY(check_interrupt());
        TRY(go_on(video, false, &time));
    }
out:
    return status;
}

i3d_status i3d_video_skip(i3d_video *video, long frames)
{
    long passed;
    return pass(video, frames, &passed);
}

i3d_status i3d_video_count(const char *path, const i3d_video_options *options, long *out)
{
    i3d_video *video;
    *out = 0;
    i3d_status status = i3d_video_open(path, options, &video);
    if (status != I3D_OK)
        return status;
    status = pass(video, LONG_MAX, out);
    i3d_video_close(video);
    return status == I3D_END ? I3D_OK : status;
}

void i3d_video_close(i3d_video *video)
{
    if (!video)
        return;
    decoder_close(&video->decoder);
    picture_maker_clear(&video->maker);
    i3d_image_clear(&video->image);
    av_frame_free(&video->frame);
    av_frame_free(&video->held);
    memory_free(video);
}
