#include "test.h"

#include <i3d/image.h>

#include "base/memory.h"
#include "opencv.h"

static i3d_image source(void)
{
    static uint8_t pixels[sizeof scale_source];
    memcpy(pixels, scale_source, sizeof pixels);
    return (i3d_image){ .width = 9, .height = 7, .channels = 3, .pixels = pixels };
}

static void scaling_is_that_of_opencv_to_the_bit(void **state)
{
    (void)state;
    i3d_image from = source(), out = { 0 };
    for (size_t i = 0; i < sizeof scale_cases / sizeof *scale_cases; i++) {
        int width = scale_cases[i].width, height = scale_cases[i].height;
        assert_ok(i3d_image_scale(&from, width, height, &out));
        assert_int_equal(out.width, width);
        assert_int_equal(out.height, height);
        assert_memory_equal(out.pixels, scale_cases[i].pixels, (size_t)(width * height * 3));
    }
    i3d_image_clear(&out);
}

static void halving_is_within_one_of_the_mean_of_four(void **state)
{
    (void)state;
    uint8_t pixels[8 * 6];
    for (int i = 0; i < 48; i++)
        pixels[i] = (uint8_t)(i * 37 % 251);
    i3d_image from = { .width = 8, .height = 6, .channels = 1, .pixels = pixels }, out = { 0 };
    assert_ok(i3d_image_scale(&from, 4, 3, &out));
    for (int y = 0; y < 3; y++)
        for (int x = 0; x < 4; x++) {
            const uint8_t *at = pixels + 16 * y + 2 * x;
            double mean = (at[0] + at[1] + at[8] + at[9]) / 4.;
            assert_true(abs((int)(out.pixels[4 * y + x] - mean + .5)) <= 1);
        }
    i3d_image_clear(&out);
}

static void grey_is_that_of_opencv(void **state)
{
    (void)state;
    i3d_image from = source(), out = { 0 };
    assert_ok(i3d_image_grey(&from, &out));
    assert_int_equal(out.channels, 1);
    assert_memory_equal(out.pixels, grey, sizeof grey);
    assert_fails(i3d_image_grey(&out, &from), I3D_EINVAL, "no colours");
    i3d_image_clear(&out);
}

static void storage_grows_only_when_it_must(void **state)
{
    (void)state;
    i3d_image image = { 0 };
    assert_ok(i3d_image_resize_storage(&image, 10, 10, 3));
    uint8_t *before = image.pixels;
    assert_ok(i3d_image_resize_storage(&image, 20, 15, 1));
    assert_ptr_equal(image.pixels, before);
    assert_int_equal(image.width, 20);
    assert_fails(i3d_image_resize_storage(&image, 0, 10, 3), I3D_EINVAL, "0 x 10");
    assert_fails(i3d_image_resize_storage(&image, 1 << 20, 1 << 20, 3), I3D_EINVAL, "1048576");
    assert_fails(i3d_image_resize_storage(&image, 4, 4, 2), I3D_EINVAL, "2 channels");
    memory_fail_at(1);
    assert_fails(i3d_image_resize_storage(&image, 100, 100, 3), I3D_ENOMEM, "no memory");
    memory_fail_at(0);
    assert_null(image.pixels);
    i3d_image_clear(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scaling_is_that_of_opencv_to_the_bit),
        cmocka_unit_test(halving_is_within_one_of_the_mean_of_four),
        cmocka_unit_test(grey_is_that_of_opencv),
        cmocka_unit_test(storage_grows_only_when_it_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
