#include "video/picture.h"
#include "base/failure.h"
#include "video/ffmpeg.h"

#include <libavutil/mathematics.h>
#include <libavutil/pixdesc.h>
#include <stdlib.h>
#include <string.h>

static int sign(int32_t value)
{
    return value < 0 ? -1 : 1;
}

struct orientation orientation_of(const int32_t matrix[9])
{
    /* (x, y) is shown at (m0 x + m3 y, m1 x + m4 y); a turn's inverse is its transpose. */
    if (llabs(matrix[0]) >= llabs(matrix[1]))
        return (struct orientation){ .a = sign(matrix[0]), .d = sign(matrix[4]) };
    return (struct orientation){ .b = sign(matrix[1]), .c = sign(matrix[3]) };
}

i3d_status picture_maker_create(int width, int height, int short_side,
                                struct orientation orientation, struct picture_maker *out)
{
    int64_t w = width, h = height;
    *out = (struct picture_maker){ .orientation = orientation };
    if (short_side > 0 && w > h) {
        w = av_rescale(short_side, w, h);
        h = short_side;
    } else if (short_side > 0) {
        h = av_rescale(short_side, h, w);
        w = short_side;
    }
    if (w > 1 << 20 || h > 1 << 20 || w * h > 1 << 28)
        return failure(I3D_EINVAL, "frames of %d x %d scaled to a short side of %d are too large",
                       width, height, short_side);
    out->rgb = av_frame_alloc();
    if (!out->rgb)
        return failure(I3D_ENOMEM, "no memory for a frame");
    out->rgb->format = AV_PIX_FMT_RGB24;
    out->rgb->width = (int)w;
    out->rgb->height = (int)h;
    if (av_frame_get_buffer(out->rgb, 0) < 0) {
        picture_maker_clear(out);
        return failure(I3D_ENOMEM, "no memory for a frame of %d x %d", (int)w, (int)h);
    }
    out->width = orientation.a ? (int)w : (int)h;
    out->height = orientation.a ? (int)h : (int)w;
    return I3D_OK;
}

void picture_maker_clear(struct picture_maker *maker)
{
    sws_freeContext(maker->scaler);
    av_frame_free(&maker->rgb);
    *maker = (struct picture_maker){ 0 };
}

/* Colours by what the frame says of itself: its matrix (BT.601 if it says nothing) and range. */
static void set_colours(struct SwsContext *scaler, const AVFrame *frame)
{
    const int *matrix = sws_getCoefficients((int)frame->colorspace);
    const int *rgb = sws_getCoefficients(SWS_CS_DEFAULT);
    int full = frame->color_range == AVCOL_RANGE_JPEG || frame->format == AV_PIX_FMT_YUVJ420P ||
               frame->format == AV_PIX_FMT_YUVJ422P || frame->format == AV_PIX_FMT_YUVJ444P;
    sws_setColorspaceDetails(scaler, matrix, full, rgb, 1, 0, 1 << 16, 1 << 16);
}

static void turn(const AVFrame *rgb, struct orientation turned, i3d_image *out)
{
    int left = turned.a + turned.b < 0 ? rgb->width - 1 : 0;
    int top = turned.c + turned.d < 0 ? rgb->height - 1 : 0;
    uint8_t *to = out->pixels;
    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width; x++, to += 3) {
            int column = left + turned.a * x + turned.b * y;
            int line = top + turned.c * x + turned.d * y;
            memcpy(to, rgb->data[0] + (ptrdiff_t)line * rgb->linesize[0] + column * 3, 3);
        }
}

static void copy(const AVFrame *rgb, i3d_image *out)
{
    size_t row = (size_t)out->width * 3;
    for (int y = 0; y < out->height; y++)
        memcpy(out->pixels + (size_t)y * row, rgb->data[0] + (ptrdiff_t)y * rgb->linesize[0], row);
}

i3d_status picture_make(struct picture_maker *maker, const AVFrame *frame, i3d_image *out)
{
    AVFrame *rgb = maker->rgb;
    i3d_status status = i3d_image_resize_storage(out, maker->width, maker->height, 3);
    if (status != I3D_OK)
        return status;
    maker->scaler = sws_getCachedContext(
        maker->scaler, frame->width, frame->height, (enum AVPixelFormat)frame->format, rgb->width,
        rgb->height, AV_PIX_FMT_RGB24, SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, NULL,
        NULL, NULL);
    if (!maker->scaler)
        return failure(I3D_EUNSUPPORTED, "frames of format %s cannot be converted to RGB",
                       av_get_pix_fmt_name((enum AVPixelFormat)frame->format));
    set_colours(maker->scaler, frame);
    int lines = sws_scale(maker->scaler, (const uint8_t *const *)frame->data, frame->linesize, 0,
                          frame->height, rgb->data, rgb->linesize);
    if (lines != rgb->height)
        return failure(I3D_EFORMAT, "a frame cannot be scaled: %s", ffmpeg_reason(lines));
    if (memcmp(&maker->orientation, &upright, sizeof upright) == 0)
        copy(rgb, out);
    else
        turn(rgb, maker->orientation, out);
    return I3D_OK;
}
