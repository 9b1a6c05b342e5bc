/* Small data sets for the tests of clip: a root of their own, folders of jpgs, text files. */
#ifndef TESTS_CLIP_MEDIA_H
#define TESTS_CLIP_MEDIA_H

#include "test.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/talk.h"
#include "image/image.h"

static char root[64];
static char talked[8192]; /* everything the library said since make_root() */

static inline void listen(const char *text, void *context)
{
    (void)context;
    strncat(talked, text, sizeof talked - strlen(talked) - 2);
    strcat(talked, "\n");
}

static inline int make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "%s", test_folder());
    talked[0] = '\0';
    i3d_log_to(listen, NULL);
    return 0;
}

static inline int remove_root(void **state)
{
    (void)state;
    i3d_log_to(NULL, NULL);
    return folder_remove(root) == I3D_OK ? 0 : -1;
}

/* A path under the root; one of four that are used in turn. */
__attribute__((format(printf, 1, 2))) static inline const char *at(const char *format, ...)
{
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];
    int length = snprintf(path, sizeof paths[0], "%s/", root);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(path + length, sizeof paths[0] - (size_t)length, format, arguments);
    va_end(arguments);
    return path;
}

static inline void put_text(const char *path, const char *text)
{
    assert_ok(file_write(path, text, strlen(text)));
}

static inline void put_frames(const char *folder, int frames)
{
    char text[16];
    snprintf(text, sizeof text, "%d", frames);
    put_text(at("%s/n_frames", folder), text);
}

/* A picture that is smooth, as JPEG wants it, and differs from every other `number`. */
static inline void put_jpg(const char *path, int width, int height, int channels, int number)
{
    i3d_image image = { 0 };
    struct jpeg jpeg = { 0 };
    assert_ok(i3d_image_resize_storage(&image, width, height, channels));
    uint8_t *pixel = image.pixels;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++)
                *pixel++ = (uint8_t)((x * (3 + c) + y * (5 - c) + number * 37) / 4 % 256);
    assert_ok(image_encode(&image, 95, &jpeg));
    assert_ok(file_put(path, jpeg.data, jpeg.bytes));
    jpeg_clear(&jpeg);
    i3d_image_clear(&image);
}

/* root/jpg/class/video with `frames` pictures, or pairs of them, and n_frames. */
static inline void put_video(const char *name, int frames, int width, int height, bool flow)
{
    char folder[256];
    snprintf(folder, sizeof folder, "jpg/%s", name);
    assert_ok(folder_make(at("%s", folder)));
    for (int i = 1; i <= frames; i++) {
        if (flow) {
            put_jpg(at("%s/image_%05dx.jpg", folder, i), width, height, 1, 2 * i);
            put_jpg(at("%s/image_%05dy.jpg", folder, i), width, height, 1, 2 * i + 1);
        } else {
            put_jpg(at("%s/image_%05d.jpg", folder, i), width, height, 3, i);
        }
    }
    put_frames(folder, frames);
}

#define test_in_root(function) cmocka_unit_test_setup_teardown(function, make_root, remove_root)

#endif
