/* JPEG in memory, and into folders that are still being filled. */
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

/* Writes a JPEG straight to `path`, without the sync of i3d_image_write(): for the inside of a
 * folder that folder_commit() will sync as a whole. */
i3d_status image_put(const char *path, const i3d_image *image, int quality, struct jpeg *jpeg);

#endif
