#include "test.h"

#include "base/memory.h"
#include "clip/transform.h"

#include <math.h>

enum { SIZE = 24 };

static i3d_image picture;
static struct cutter cutter;
static float out[3 * SIZE * SIZE];

static void make_picture(int width, int height, int channels)
{
    struct random random = random_for(7, RANDOM_TRIAL, (uint64_t)width, (uint64_t)height);
    assert_ok(i3d_image_resize_storage(&picture, width, height, channels));
    for (int i = 0; i < width * height * channels; i++)
        picture.pixels[i] = (uint8_t)random_below(&random, 256);
}

static int make_cutter(void **state)
{
    (void)state;
    return cutter_create(SIZE, &cutter) == I3D_OK ? 0 : -1;
}

static int clear_all(void **state)
{
    (void)state;
    cutter_clear(&cutter);
    i3d_image_clear(&picture);
    return 0;
}

/* Every number of `out` against the pixel that the cut takes from `scaled`, in levels of 255. */
static void check_against(const i3d_image *scaled, const struct cut *cut,
                          const struct pixels *pixels, double tolerance)
{
    for (int c = 0; c < scaled->channels; c++)
        for (int y = 0; y < SIZE; y++)
            for (int x = 0; x < SIZE; x++) {
                int from_x = cut->x + (cut->flip ? SIZE - 1 - x : x), from_y = cut->y + y;
                int from_c = pixels->bgr ? scaled->channels - 1 - c : c;
                double v =
                    scaled->pixels[(from_y * scaled->width + from_x) * scaled->channels + from_c];
                if (pixels->invert)
                    v = 255 - v;
                double got = (out[(c * SIZE + y) * SIZE + x] + 1) * 127.5;
                if (fabs(got - v) > tolerance)
                    fail_msg("channel %d, %d, %d: %g instead of %g", c, x, y, got, v);
            }
}

static void an_unscaled_crop_is_the_pixels(void **state)
{
    (void)state;
    for (int kind = 0; kind < 8; kind++) {
        struct pixels pixels = { .bgr = kind & 1, .invert = kind & 2 };
        struct cut cut;
        make_picture(40, 31, kind & 1 ? 3 : 1);
        assert_ok(cut_choose(40, 31, 0, SIZE, NULL, &cut));
        cut.flip = kind & 4;
        cutter_run(&cutter, &picture, &cut, &pixels, out, SIZE * SIZE);
        check_against(&picture, &cut, &pixels, 1e-4);
    }
}

static void values_are_those_of_float64_arithmetic(void **state)
{
    (void)state;
    for (int v = 0; v < 256; v++)
        assert_true(cutter.values[v] == (float)((double)v / 255. * 2. - 1.));
}

static void a_scaled_crop_is_the_crop_of_the_scaled_picture(void **state)
{
    (void)state;
    static const int sizes[][2] = { { 40, 31 }, { 31, 40 }, { 90, 50 }, { 25, 25 }, { 300, 77 } };
    for (int i = 0; i < 5; i++)
        for (int kind = 0; kind < 8; kind++) {
            struct pixels pixels = { .bgr = kind & 1, .invert = kind & 2 };
            struct random random = random_for(3, RANDOM_TRIAL, (uint64_t)i, (uint64_t)kind);
            struct cut cut;
            i3d_image scaled = { 0 };
            make_picture(sizes[i][0], sizes[i][1], kind & 1 ? 3 : 1);
            assert_ok(cut_choose(picture.width, picture.height, 36, SIZE, &random, &cut));
            cut.flip = kind & 4;
            assert_ok(i3d_image_scale(&picture, cut.width, cut.height, &scaled));
            cutter_run(&cutter, &picture, &cut, &pixels, out, SIZE * SIZE);
            check_against(&scaled, &cut, &pixels, 1.01); /* which rounds to bytes, twice */
            i3d_image_clear(&scaled);
        }
}

static void scaling_keeps_the_aspect(void **state)
{
    (void)state;
    static const int cases[][4] = { { 320, 240, 341, 256 },
                                    { 240, 320, 256, 341 },
                                    { 427, 240, 455, 256 },
                                    { 256, 256, 256, 256 },
                                    { 1920, 1080, 455, 256 } };
    for (int i = 0; i < 5; i++) {
        struct cut cut;
        assert_ok(cut_choose(cases[i][0], cases[i][1], 256, 224, NULL, &cut));
        assert_int_equal(cut.width, cases[i][2]);
        assert_int_equal(cut.height, cases[i][3]);
    }
}

static void random_crops_reach_every_edge_and_never_leave(void **state)
{
    (void)state;
    struct random random = random_for(5, RANDOM_TRIAL, 6, 7);
    int least = 1000, most = -1;
    for (int i = 0; i < 2000; i++) {
        struct cut cut;
        assert_ok(cut_choose(34, SIZE, 0, SIZE, &random, &cut));
        assert_int_equal(cut.y, 0);
        least = cut.x < least ? cut.x : least;
        most = cut.x > most ? cut.x : most;
    }
    assert_int_equal(least, 0);
    assert_int_equal(most, 10);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct cut cut;
    assert_fails(cut_choose(100, 223, 0, 224, NULL, &cut), I3D_EINVAL, "100 x 223");
    assert_fails(cut_choose(1, 2000000000, 16384, 224, NULL, &cut), I3D_EINVAL, "too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unscaled_crop_is_the_pixels),
        cmocka_unit_test(values_are_those_of_float64_arithmetic),
        cmocka_unit_test(a_scaled_crop_is_the_crop_of_the_scaled_picture),
        cmocka_unit_test(scaling_keeps_the_aspect),
        cmocka_unit_test(random_crops_reach_every_edge_and_never_leave),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, make_cutter, clear_all);
}
