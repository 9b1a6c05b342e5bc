/* JPEG in memory. */
#ifndef I3D_IMAGE_IMAGE_H
#define I3D_IMAGE_IMAGE_H

#include <i3d/image.h>

/* Decodes a whole JPEG; `name` is what the sentence of a failure calls it. */
i3d_status image_decode(const uint8_t *jpeg, size_t bytes, int channels, const char *name,
                        i3d_image *out);

/* A buffer of JPEG bytes that grows and is used again; zeroed at first. */
struct jpeg {
    uint8_t *data;
    size_t bytes, capacity;
};
i3d_status image_encode(const i3d_image *image, int quality, struct jpeg *out);
void jpeg_clear(struct jpeg *jpeg);

#endif
