/* JPEG through libjpeg-turbo. */
#include "base/failure.h"
#include "base/memory.h"
#include "image/image.h"

#include <limits.h>
#include <threads.h>
#include <turbojpeg.h>

/* One codec a thread, made at first use and gone with the thread. */
static once_flag once = ONCE_FLAG_INIT;
static tss_t key;

static void destroy(void *codec)
{
    tjDestroy(codec);
}

static void make_key(void)
{
    tss_create(&key, destroy);
}

/* A handle for transforms is the one that can both decode and encode. */
static i3d_status thread_codec(tjhandle *out)
{
    call_once(&once, make_key);
    *out = tss_get(key);
    if (*out)
        return I3D_OK;
    *out = tjInitTransform();
    if (!*out || tss_set(key, *out) != thrd_success)
        return failure(I3D_ENOMEM, "cannot make a JPEG codec: %s", tjGetErrorStr2(NULL));
    return I3D_OK;
}

/* Why decoding failed. The handle goes with it: libjpeg-turbo 2.1 leaves it in the middle of the
 * broken file's header, and would read the next file as its rest. */
static i3d_status refuse(tjhandle codec, const char *name, const char *what)
{
    failure(I3D_EFORMAT, "'%s' is no %s: %s", name, what, tjGetErrorStr2(codec));
    tss_set(key, NULL);
    tjDestroy(codec);
    return I3D_EFORMAT;
}

i3d_status image_decode(const uint8_t *jpeg, size_t bytes, int channels, const char *name,
                        i3d_image *out)
{
    i3d_status status;
    tjhandle codec;
    int width, height, subsampling, colours;
    TRY(thread_codec(&codec));
    if (bytes > INT_MAX || tjDecompressHeader3(codec, jpeg, (unsigned long)bytes, &width, &height,
                                               &subsampling, &colours) != 0)
        return refuse(codec, name, "JPEG");
    status = i3d_image_resize_storage(out, width, height, channels);
    if (status == I3D_EINVAL)
        return failure_prefix(I3D_EFORMAT, "'%s': ", name);
    if (status != I3D_OK)
        return status;
    if (tjDecompress2(codec, jpeg, (unsigned long)bytes, out->pixels, width, width * channels,
                      height, channels == 3 ? TJPF_RGB : TJPF_GRAY,
                      TJFLAG_ACCURATEDCT | TJFLAG_STOPONWARNING) != 0)
        return refuse(codec, name, "whole JPEG");
out:
    return status;
}

i3d_status image_encode(const i3d_image *image, int quality, struct jpeg *out)
{
    i3d_status status;
    tjhandle codec;
    int subsampling = image->channels == 3 ? TJSAMP_420 : TJSAMP_GRAY;
    if (quality < 1 || quality > 100)
        return failure(I3D_EINVAL, "a JPEG quality of %d; 1 to 100 can be", quality);
    TRY(thread_codec(&codec));
    unsigned long most = tjBufSize(image->width, image->height, subsampling);
    if (most == (unsigned long)-1)
        return failure(I3D_EINVAL, "a picture of %d x %d is too large for a JPEG", image->width,
                       image->height);
    TRY(memory_grow(&out->data, &out->capacity, most, 1));
    if (tjCompress2(codec, image->pixels, image->width, image->width * image->channels,
                    image->height, image->channels == 3 ? TJPF_RGB : TJPF_GRAY, &out->data, &most,
                    subsampling, quality, TJFLAG_ACCURATEDCT | TJFLAG_NOREALLOC) != 0)
        status = failure(I3D_EINVAL, "cannot make a JPEG of %d x %d pixels: %s", image->width,
                         image->height, tjGetErrorStr2(codec));
    out->bytes = most;
out:
    return status;
}

const char *i3d_image_library(void)
{
    return "TurboJPEG";
}
