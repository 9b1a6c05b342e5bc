/* Pixels: reading and writing JPEG, scaling, cropping, grey. */
#ifndef I3D_IMAGE_H
#define I3D_IMAGE_H

#include <i3d/status.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An 8-bit picture, rows dense: [height, width, channels], channels 3 (R, G, B) or 1 (grey). */
typedef struct i3d_image {
    int width, height, channels;
    uint8_t *pixels;
    size_t capacity; /* bytes behind `pixels`, so that one picture can be filled again and again */
} i3d_image;

/* Makes `image` (zeroed or used before) w x h x channels; allocates only when it must grow. Sides
 * below 1 and pictures of more than 2^28 pixels are I3D_EINVAL. */
I3D_API i3d_status i3d_image_resize_storage(i3d_image *image, int width, int height, int channels);
I3D_API void i3d_image_clear(i3d_image *image);

/* Reads a JPEG as `channels` 3 or 1 into `out`, colours converted as needed. A file that is not
 * whole, or about which the decoder only warns, is I3D_EFORMAT. */
I3D_API i3d_status i3d_image_read(const char *path, int channels, i3d_image *out);

/* Writes a JPEG of `quality` 1..100 (4:2:0), whole or not at all. */
I3D_API i3d_status i3d_image_write(const char *path, const i3d_image *image, int quality);

/* Bilinear to width x height, pixel centres aligned, no antialiasing: OpenCV's INTER_LINEAR to the
 * bit (except that OpenCV averages when both sides halve: at most 1 apart). `out` is another
 * picture than `image`. */
I3D_API i3d_status i3d_image_scale(const i3d_image *image, int width, int height, i3d_image *out);

/* The grey of an RGB picture: Y of BT.601 with OpenCV's rounding: (4899 R + 9617 G + 1868 B + 8192)
 * >> 14. */
I3D_API i3d_status i3d_image_grey(const i3d_image *image, i3d_image *out);

/* What reads and writes JPEG: "TurboJPEG"; NULL: this program was built without it. */
I3D_API const char *i3d_image_library(void);

#ifdef __cplusplus
}
#endif
#endif
