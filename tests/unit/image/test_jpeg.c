#include "test.h"

#include <math.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/thread.h"
#include "image/image.h"

static uint8_t pixels[48 * 32 * 3];

/* A smooth picture, which JPEG keeps well. */
static i3d_image picture(int channels)
{
    i3d_image image = { .width = 48, .height = 32, .channels = channels, .pixels = pixels };
    for (int i = 0; i < 48 * 32; i++)
        for (int c = 0; c < channels; c++)
            pixels[i * channels + c] =
                (uint8_t)lrint(128 + 90 * sin(i % 48 * .11 + c * .4) * cos(i / 48. * .09));
    return image;
}

static double mean_difference(const i3d_image *a, const i3d_image *b)
{
    double sum = 0;
    int count = a->width * a->height * a->channels;
    for (int i = 0; i < count; i++)
        sum += abs(a->pixels[i] - b->pixels[i]);
    return sum / count;
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    char path[128];
    const char *folder = test_folder();
    i3d_image back = { 0 };
    snprintf(path, sizeof path, "%s/a.jpg", folder);
    for (int channels = 1; channels <= 3; channels += 2) {
        i3d_image image = picture(channels);
        assert_ok(i3d_image_write(path, &image, 95));
        assert_ok(i3d_image_read(path, channels, &back));
        assert_int_equal(back.width, 48);
        assert_int_equal(back.height, 32);
        assert_true(mean_difference(&image, &back) < 2);
    }
    i3d_image_clear(&back);
    assert_ok(folder_remove(folder));
}

static void colours_become_grey_and_grey_becomes_colours(void **state)
{
    (void)state;
    struct jpeg jpeg = { 0 };
    i3d_image image = picture(3), grey = { 0 }, back = { 0 };
    assert_ok(image_encode(&image, 95, &jpeg));
    assert_ok(i3d_image_grey(&image, &grey));
    assert_ok(image_decode(jpeg.data, jpeg.bytes, 1, "a.jpg", &back));
    assert_true(mean_difference(&grey, &back) < 1);
    assert_ok(image_encode(&grey, 95, &jpeg));
    assert_ok(image_decode(jpeg.data, jpeg.bytes, 3, "a.jpg", &back));
    assert_int_equal(back.channels, 3);
    for (int i = 0; i < 48 * 32; i++)
        assert_true(abs(back.pixels[3 * i + 1] - grey.pixels[i]) < 8);
    i3d_image_clear(&back);
    i3d_image_clear(&grey);
    jpeg_clear(&jpeg);
}

static void a_jpeg_cut_anywhere_is_refused_by_name(void **state)
{
    (void)state;
    struct jpeg jpeg = { 0 };
    i3d_image image = picture(3), back = { 0 };
    assert_ok(image_encode(&image, 90, &jpeg));
    for (size_t bytes = 0; bytes + 2 < jpeg.bytes; bytes += 7) {
        assert_fails(image_decode(jpeg.data, bytes, 3, "cut.jpg", &back), I3D_EFORMAT, "'cut.jpg'");
        assert_ok(image_decode(jpeg.data, jpeg.bytes, 3, "whole.jpg", &back));
    }
    i3d_image_clear(&back);
    jpeg_clear(&jpeg);
}

static void damage_gives_a_status_never_a_crash(void **state)
{
    (void)state;
    struct jpeg jpeg = { 0 };
    i3d_image image = picture(3), back = { 0 };
    assert_ok(image_encode(&image, 90, &jpeg));
    for (size_t i = 0; i < jpeg.bytes; i++) {
        uint8_t kept = jpeg.data[i];
        jpeg.data[i] ^= 0xff;
        i3d_status status = image_decode(jpeg.data, jpeg.bytes, 3, "x.jpg", &back);
        assert_true(status == I3D_OK || status == I3D_EFORMAT || status == I3D_EINVAL);
        jpeg.data[i] = kept;
    }
    i3d_image_clear(&back);
    jpeg_clear(&jpeg);
}

static void mistakes_are_told(void **state)
{
    (void)state;
    i3d_image image = picture(3);
    struct jpeg jpeg = { 0 };
    assert_fails(i3d_image_read("/nowhere/a.jpg", 3, &image), I3D_EIO, "/nowhere/a.jpg");
    assert_fails(i3d_image_write("/nowhere/a.jpg", &image, 90), I3D_EIO, "/nowhere/a.jpg");
    assert_fails(i3d_image_write("/tmp/a.jpg", &image, 0), I3D_EINVAL, "quality");
    image.width = 70000;
    assert_fails(image_encode(&image, 90, &jpeg), I3D_EINVAL, "70000");
    jpeg_clear(&jpeg);
}

static i3d_status encode_one(size_t index, int worker, void *context)
{
    struct jpeg jpeg = { 0 };
    (void)index, (void)worker;
    i3d_status status = image_encode(context, 90, &jpeg);
    jpeg_clear(&jpeg);
    return status;
}

static void threads_have_codecs_of_their_own(void **state)
{
    (void)state;
    i3d_image image = picture(3);
    assert_ok(thread_run(50, 4, encode_one, &image));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(colours_become_grey_and_grey_becomes_colours),
        cmocka_unit_test(a_jpeg_cut_anywhere_is_refused_by_name),
        cmocka_unit_test(damage_gives_a_status_never_a_crash),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(threads_have_codecs_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
