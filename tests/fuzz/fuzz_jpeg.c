/* JPEGs, in colour and in grey. */
#include "fuzz.h"
#include "image/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    i3d_image image = { 0 };
    image_decode(data, size, 3, "fuzz", &image);
    image_decode(data, size, 1, "fuzz", &image);
    i3d_image_clear(&image);
    return 0;
}
