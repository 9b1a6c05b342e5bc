/* In jpeg.c's place where libjpeg-turbo is missing. */
#include "base/failure.h"
#include "image/image.h"

static i3d_status none(void)
{
    return failure(I3D_EUNSUPPORTED, "this program was built without libjpeg-turbo, so it cannot "
                                     "read or write JPEGs");
}

i3d_status image_decode(const uint8_t *jpeg, size_t bytes, int channels, const char *name,
                        i3d_image *out)
{
    (void)jpeg, (void)bytes, (void)channels, (void)name, (void)out;
    return none();
}

i3d_status image_encode(const i3d_image *image, int quality, struct jpeg *out)
{
    (void)image, (void)quality, (void)out;
    return none();
}

const char *i3d_image_library(void)
{
    return NULL;
}
