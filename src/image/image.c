#include "base/failure.h"
#include "base/memory.h"
#include "image/image.h"

enum { PIXELS_MAX = 1 << 28 };

i3d_status i3d_image_resize_storage(i3d_image *image, int width, int height, int channels)
{
    if (width < 1 || height < 1 || width > PIXELS_MAX / height || (channels != 1 && channels != 3))
        return failure(
            I3D_EINVAL,
            "a picture of %d x %d pixels and %d channels cannot be; 1 to %d pixels of 1 or "
            "3 channels can",
            width, height, channels, PIXELS_MAX);
    size_t bytes = (size_t)width * (size_t)height * (size_t)channels;
    if (bytes > image->capacity) {
        i3d_image_clear(image);
        i3d_status status = memory_get(bytes, 1, &image->pixels);
        if (status != I3D_OK)
            return status;
        image->capacity = bytes;
    }
    image->width = width;
    image->height = height;
    image->channels = channels;
    return I3D_OK;
}

void i3d_image_clear(i3d_image *image)
{
    memory_free(image->pixels);
    *image = (i3d_image){ 0 };
}

i3d_status i3d_image_grey(const i3d_image *image, i3d_image *out)
{
    if (image->channels != 3)
        return failure(I3D_EINVAL, "a picture of %d channels has no colours to make grey",
                       image->channels);
    i3d_status status = i3d_image_resize_storage(out, image->width, image->height, 1);
    if (status != I3D_OK)
        return status;
    size_t count = (size_t)image->width * (size_t)image->height;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *rgb = image->pixels + 3 * i;
        out->pixels[i] =
            (uint8_t)((4899u * rgb[0] + 9617u * rgb[1] + 1868u * rgb[2] + 8192u) >> 14);
    }
    return I3D_OK;
}
