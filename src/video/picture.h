/* From a decoded frame to RGB: scaled, upright, dense. */
#ifndef I3D_VIDEO_PICTURE_H
#define I3D_VIDEO_PICTURE_H

#include <i3d/image.h>

#include <libavutil/frame.h>
#include <libswscale/swscale.h>

/* One of the eight ways to lay a picture down: output pixel (X, Y) is input pixel
 * (a X + b Y, c X + d Y), from the corner where that is not negative. */
struct orientation {
    int a, b, c, d;
};
static const struct orientation upright = { 1, 0, 0, 1 };

/* Of a display matrix (nine 16.16 numbers, ISO 14496-12 6.2.2), to the nearest right angle. */
struct orientation orientation_of(const int32_t matrix[9]);

struct picture_maker {
    struct orientation orientation;
    int width, height; /* of the pictures made */
    struct SwsContext *scaler;
    AVFrame *rgb; /* scaled, as stored */
};

/* For frames of width x height as stored: short side to `short_side` (0: as it is), the other as
 * ffmpeg's scale=-1 rounds it, then turned. I3D_EINVAL if the picture would be too large. */
i3d_status picture_maker_create(int width, int height, int short_side,
                                struct orientation orientation, struct picture_maker *out);

/* Frames of another size or pixel format are scaled to the same pictures. */
i3d_status picture_make(struct picture_maker *maker, const AVFrame *frame, i3d_image *out);
void picture_maker_clear(struct picture_maker *maker);

#endif
