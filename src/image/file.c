#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"
#include "image/image.h"

void jpeg_clear(struct jpeg *jpeg)
{
    memory_free(jpeg->data);
    *jpeg = (struct jpeg){ 0 };
}

i3d_status i3d_image_read(const char *path, int channels, i3d_image *out)
{
    uint8_t *jpeg;
    size_t bytes;
    i3d_status status = file_read(path, &jpeg, &bytes);
    if (status == I3D_OK)
        status = image_decode(jpeg, bytes, channels, path, out);
    memory_free(jpeg);
    return status;
}

i3d_status i3d_image_write(const char *path, const i3d_image *image, int quality)
{
    struct jpeg jpeg = { 0 };
    i3d_status status = image_encode(image, quality, &jpeg);
    if (status == I3D_OK)
        status = file_write(path, jpeg.data, jpeg.bytes);
    jpeg_clear(&jpeg);
    return status;
}
