/* The flow: output of OpenCV and of the IPOL program for two pairs, and what must be true of any
 * flow. */
#include "test.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"

#include <i3d/flow.h>

#include <math.h>

enum { W = 96, H = 72, CELLS = W * H };

static const char *const names[] = { "opencv",  "opencv5", "opencv-cuda", "ipol",
                                     "quality", "fast",    "turbo" };
enum { NAMES = sizeof names / sizeof names[0] };

static i3d_flow *create(const char *preset, int width, int height)
{
    i3d_flow_options options;
    i3d_flow *flow;
    assert_ok(i3d_flow_preset(preset, &options));
    assert_ok(i3d_flow_create(&options, width, height, &flow));
    return flow;
}

/* A smooth texture seen from (x + dx, y + dy): sums of waves, so that it may lie between pixels. */
static void look(double dx, double dy, int width, int height, uint8_t *out)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            double a = x - dx, b = y - dy;
            double value = 128 + 40 * sin(.31 * a + .2 * b) + 30 * sin(.17 * a - .4 * b + 1) +
                           25 * cos(.09 * a + .11 * b) + 20 * sin(.6 * b + .05 * a);
            out[y * width + x] = (uint8_t)fmin(255, fmax(0, rint(value)));
        }
}

static void look_at_pair(uint8_t *from, uint8_t *to)
{
    look(0, 0, W, H, from);
    look(1.5, -.5, W, H, to);
}

static void noise(uint64_t seed, size_t count, uint8_t *out)
{
    struct random random = random_for(seed, RANDOM_TRIAL, 0, 0);
    for (size_t i = 0; i < count; i++)
        out[i] = (uint8_t)random_below(&random, 256);
}

/* Mean distance from (du, dv), `margin` pixels inside the border. */
static double distance(const float *u, const float *v, double du, double dv, int margin)
{
    double sum = 0;
    int count = 0;
    for (int y = margin; y < H - margin; y++)
        for (int x = margin; x < W - margin; x++, count++)
            sum += hypot((double)u[y * W + x] - du, (double)v[y * W + x] - dv);
    return sum / count;
}

/* `peer`: behind the name of the pair. */
static void assert_near(const char *preset, const char *name, const char *peer)
{
    char path[512];
    uint8_t *pictures[2];
    size_t bytes;
    i3d_field theirs, ours;
    snprintf(path, sizeof path, I3D_GOLDEN "/flow/%s%s.flo", name, peer);
    assert_ok(i3d_field_read(path, &theirs));
    ours = (i3d_field){ .width = theirs.width, .height = theirs.height };
    size_t count = (size_t)ours.width * (size_t)ours.height;
    assert_ok(memory_get(count, sizeof(float), &ours.u));
    assert_ok(memory_get(count, sizeof(float), &ours.v));
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, I3D_GOLDEN "/flow/%s_%d.grey", name, i);
        assert_ok(file_read(path, &pictures[i], &bytes));
        assert_int_equal(bytes, count);
    }

    i3d_flow *flow = create(preset, ours.width, ours.height);
    assert_ok(i3d_flow_run(flow, pictures[0], pictures[1], ours.u, ours.v));
    double sum = 0;
    int near = 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t a[2], b[2];
        i3d_flow_to_bytes((float[]){ ours.u[i], ours.v[i] }, 2, 20, a);
        i3d_flow_to_bytes((float[]){ theirs.u[i], theirs.v[i] }, 2, 20, b);
        sum += fabs((double)ours.u[i] - (double)theirs.u[i]) +
               fabs((double)ours.v[i] - (double)theirs.v[i]);
        near += (abs(a[0] - b[0]) <= 1) + (abs(a[1] - b[1]) <= 1);
    }
    double mean = sum / (double)(2 * count), share = near / (double)(2 * count);
    print_message("%s, %s: mean |difference| %.4f px, %.2f %% of bytes within one level\n", preset,
                  name, mean, 100 * share);
    assert_true(mean <= .02);
    assert_true(share >= .985);

    i3d_flow_free(flow);
    for (int i = 0; i < 2; i++)
        memory_free(pictures[i]);
    i3d_field_clear(&theirs);
    i3d_field_clear(&ours);
}

static void opencv_agrees_on_a_smooth_motion(void **state)
{
    (void)state;
    assert_near("opencv", "smooth", "");
}

static void opencv_agrees_on_a_moving_object(void **state)
{
    (void)state;
    assert_near("opencv", "objects", "");
}

static void ipol_is_the_ipol_program(void **state)
{
    (void)state;
    assert_near("ipol", "smooth", "_ipol");
    assert_near("ipol", "objects", "_ipol");
}

/* Noise of three scales, so that a large motion cannot be taken for another. */
static void look_at_noise(int dx, int dy, int width, int height, uint8_t *out)
{
    enum { SIDE = 100 };
    static float knots[3][SIDE][SIDE];
    struct random random = random_for(5, RANDOM_TRIAL, 0, 0);
    for (int i = 0; i < 3 * SIDE * SIDE; i++)
        knots[i / (SIDE * SIDE)][i / SIDE % SIDE][i % SIDE] = (float)random_below(&random, 80);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            float value = 0;
            for (int i = 0; i < 3; i++) {
                float scale = (float)(4 << 2 * i), a = (float)(x - dx + 32) / scale;
                float b = (float)(y - dy + 32) / scale;
                int left = (int)a, top = (int)b;
                float at_x = a - (float)left, at_y = b - (float)top;
                const float *above = &knots[i][top][left], *below = &knots[i][top + 1][left];
                value += (1 - at_y) * ((1 - at_x) * above[0] + at_x * above[1]) +
                         at_y * ((1 - at_x) * below[0] + at_x * below[1]);
            }
            out[y * width + x] = (uint8_t)value;
        }
}

/* A strip of twelve pixels of the first picture is not to be seen in the second. */
static void a_motion_that_leaves_the_picture_is_found_up_to_the_border(void **state)
{
    (void)state;
    enum { WIDE = 320, HIGH = 240, RIGHT = 12, UP = 3 };
    static uint8_t from[WIDE * HIGH], to[WIDE * HIGH];
    static float u[WIDE * HIGH], v[WIDE * HIGH];
    look_at_noise(0, 0, WIDE, HIGH, from);
    look_at_noise(RIGHT, -UP, WIDE, HIGH, to);
    i3d_flow *flow = create("quality", WIDE, HIGH);
    assert_ok(i3d_flow_run(flow, from, to, u, v));
    double sum = 0;
    for (int i = 0; i < WIDE * HIGH; i++)
        sum += hypot((double)u[i] - RIGHT, (double)v[i] + UP);
    print_message("end-point error %.3f px\n", sum / (WIDE * HIGH));
    assert_true(sum / (WIDE * HIGH) < .2);
    i3d_flow_free(flow);
}

static void the_flow_of_a_shifted_picture_is_the_shift(void **state)
{
    (void)state;
    static const double shifts[][2] = { { 1, 0 }, { 0, -1 }, { -2.5, 1.25 }, { 3, 4 } };
    static uint8_t from[CELLS], to[CELLS];
    static float u[CELLS], v[CELLS];
    for (int n = 0; n < NAMES; n++) {
        i3d_flow *flow = create(names[n], W, H);
        for (size_t i = 0; i < sizeof shifts / sizeof shifts[0]; i++) {
            look(0, 0, W, H, from);
            look(shifts[i][0], shifts[i][1], W, H, to);
            assert_ok(i3d_flow_run(flow, from, to, u, v));
            double error = distance(u, v, shifts[i][0], shifts[i][1], 8);
            if (error > .1)
                fail_msg("%s: shift %g, %g is %g px off", names[n], shifts[i][0], shifts[i][1],
                         error);
        }
        i3d_flow_free(flow);
    }
}

static void identical_pictures_have_no_flow(void **state)
{
    (void)state;
    static uint8_t picture[CELLS];
    static float u[CELLS], v[CELLS];
    noise(1, CELLS, picture);
    for (int n = 0; n < NAMES; n++) {
        i3d_flow *flow = create(names[n], W, H);
        assert_ok(i3d_flow_run(flow, picture, picture, u, v));
        for (int i = 0; i < CELLS; i++) {
            assert_true(fabsf(u[i]) < 1e-3f);
            assert_true(fabsf(v[i]) < 1e-3f);
        }
        i3d_flow_free(flow);
    }
}

static void mirroring_negates_u(void **state)
{
    (void)state;
    static uint8_t pictures[2][CELLS], mirrored[2][CELLS];
    static float u[CELLS], v[CELLS], mu[CELLS], mv[CELLS];
    look_at_pair(pictures[0], pictures[1]);
    for (int i = 0; i < 2; i++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                mirrored[i][y * W + x] = pictures[i][y * W + W - 1 - x];
    i3d_flow *flow = create("quality", W, H);
    assert_ok(i3d_flow_run(flow, pictures[0], pictures[1], u, v));
    assert_ok(i3d_flow_run(flow, mirrored[0], mirrored[1], mu, mv));
    double sum = 0;
    for (int y = 8; y < H - 8; y++)
        for (int x = 8; x < W - 8; x++)
            sum += (double)fabsf(u[y * W + x] + mu[y * W + W - 1 - x]) +
                   (double)fabsf(v[y * W + x] - mv[y * W + W - 1 - x]);
    assert_true(sum / (2 * CELLS) < .02);
    i3d_flow_free(flow);
}

/* Each frame is handed over once, in the same memory: what is kept of it is its pyramid. */
static void a_sequence_gives_the_flow_of_its_pairs(void **state)
{
    (void)state;
    enum { FRAMES = 4 };
    static uint8_t frames[FRAMES][CELLS], newest[CELLS];
    static float u[CELLS], v[CELLS], pair_u[CELLS], pair_v[CELLS], zero[CELLS];
    i3d_flow *sequence = create("opencv", W, H), *pairs = create("opencv", W, H);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < FRAMES; i++) {
            look(1.25 * i + round, -.5 * i * i, W, H, frames[i]);
            memcpy(newest, frames[i], sizeof newest);
            assert_ok(i3d_flow_next(sequence, newest, u, v));
            if (i == 0) {
                assert_memory_equal(u, zero, sizeof u);
                assert_memory_equal(v, zero, sizeof v);
                continue;
            }
            assert_ok(i3d_flow_run(pairs, frames[i - 1], frames[i], pair_u, pair_v));
            assert_memory_equal(u, pair_u, sizeof u);
            assert_memory_equal(v, pair_v, sizeof v);
        }
        i3d_flow_restart(sequence);
    }
    i3d_flow_free(sequence);
    i3d_flow_free(pairs);
}

static void flow_is_finite_on_anything(void **state)
{
    (void)state;
    static const int sizes[][2] = {
        { 1, 1 }, { 1, 9 }, { 8, 8 }, { 17, 2 }, { 33, 40 }, { 64, 64 }
    };
    static uint8_t black[64 * 64], white[64 * 64], any[64 * 64], other[64 * 64];
    static float u[64 * 64], v[64 * 64];
    memset(white, 255, sizeof white);
    noise(2, sizeof any, any);
    noise(3, sizeof other, other);
    const uint8_t *pairs[][2] = { { black, black }, { white, white }, { black, white },
                                  { any, other },   { any, black },   { white, any } };
    for (int n = 0; n < NAMES; n++)
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            int width = sizes[s][0], height = sizes[s][1];
            i3d_flow *flow = create(names[n], width, height);
            for (size_t p = 0; p < sizeof pairs / sizeof pairs[0]; p++) {
                assert_ok(i3d_flow_run(flow, pairs[p][0], pairs[p][1], u, v));
                for (int i = 0; i < width * height; i++)
                    assert_true(isfinite(u[i]) && isfinite(v[i]));
            }
            i3d_flow_free(flow);
        }
}

static void an_unchanging_picture_pair_without_texture_has_no_flow(void **state)
{
    (void)state;
    static uint8_t grey[CELLS];
    static float u[CELLS], v[CELLS], zero[CELLS];
    memset(grey, 77, sizeof grey);
    i3d_flow *flow = create("opencv", W, H);
    assert_ok(i3d_flow_run(flow, grey, grey, u, v));
    assert_memory_equal(u, zero, sizeof u);
    assert_memory_equal(v, zero, sizeof v);
    i3d_flow_free(flow);
}

static void run_with(const char *preset, double epsilon, int inner, int look, float *u, float *v)
{
    static uint8_t from[CELLS], to[CELLS];
    i3d_flow_options options;
    i3d_flow *flow;
    look_at_pair(from, to);
    assert_ok(i3d_flow_preset(preset, &options));
    options.epsilon = epsilon;
    options.inner = inner;
    options.look = look;
    assert_ok(i3d_flow_create(&options, W, H, &flow));
    assert_ok(i3d_flow_run(flow, from, to, u, v));
    i3d_flow_free(flow);
}

/* Iterations that run through the picture together give what one after the other gives. */
static void looking_less_often_changes_nothing_but_the_stop(void **state)
{
    (void)state;
    static float u[2][CELLS], v[2][CELLS];
    run_with("quality", 0, 12, 1, u[0], v[0]);
    for (int look = 2; look <= 13; look++) {
        run_with("quality", 0, 12, look, u[1], v[1]);
        assert_memory_equal(u[0], u[1], sizeof u[0]);
        assert_memory_equal(v[0], v[1], sizeof v[0]);
    }
    run_with("quality", 0, 3, 1, u[0], v[0]);
    run_with("quality", 10, 12, 3, u[1], v[1]); /* stops when it first looks */
    assert_memory_equal(u[0], u[1], sizeof u[0]);
    assert_memory_equal(v[0], v[1], sizeof v[0]);
}

/* The median counts in 16-bit steps, whatever the largest motion. */
static void a_motion_of_hundreds_of_pixels_does_not_wrap(void **state)
{
    (void)state;
    enum { WIDE = 1200, LOW = 48 };
    static uint8_t from[WIDE * LOW], to[WIDE * LOW];
    static float u[WIDE * LOW], v[WIDE * LOW];
    for (int y = 0; y < LOW; y++)
        for (int x = 0; x < WIDE; x++) {
            from[y * WIDE + x] = (uint8_t)(128 + 100 * sin(x / 190.0));
            to[y * WIDE + x] = (uint8_t)(128 + 100 * sin((x - 160) / 190.0));
        }
    i3d_flow_options options;
    assert_ok(i3d_flow_preset("quality", &options));
    options.recheck = false;
    options.border = I3D_FLOW_BORDER_BLACK;
    options.lambda = 2;
    options.warps = 30;
    options.inner = 200;
    i3d_flow *flow;
    assert_ok(i3d_flow_create(&options, WIDE, LOW, &flow));
    assert_ok(i3d_flow_run(flow, from, to, u, v));
    float largest = 0;
    for (int i = 0; i < WIDE * LOW; i++)
        largest = fmaxf(largest, fabsf(u[i]));
    assert_true(largest > 128 && largest < 400);
    i3d_flow_free(flow);
}

/* A frame of 4K, moved by (2, -1). */
static void frames_of_4k_have_flow(void **state)
{
    (void)state;
    enum { WIDE = 3840, HIGH = 2160, RIGHT = 2, UP = 1, MARGIN = 16 };
    size_t cells = (size_t)WIDE * HIGH;
    uint8_t *texture, *pictures[2];
    float *u, *v;
    assert_ok(memory_get(WIDE + RIGHT, HIGH + UP, &texture));
    assert_ok(memory_get(cells, 1, &pictures[0]));
    assert_ok(memory_get(cells, 1, &pictures[1]));
    assert_ok(memory_get(cells, sizeof *u, &u));
    assert_ok(memory_get(cells, sizeof *v, &v));
    look(0, 0, WIDE + RIGHT, HIGH + UP, texture);
    for (int y = 0; y < HIGH; y++) {
        const uint8_t *row = texture + (size_t)y * (WIDE + RIGHT);
        memcpy(pictures[0] + (size_t)y * WIDE, row + RIGHT, WIDE);
        memcpy(pictures[1] + (size_t)y * WIDE, row + UP * (WIDE + RIGHT), WIDE);
    }
    i3d_flow *flow = create("turbo", WIDE, HIGH);
    assert_ok(i3d_flow_run(flow, pictures[0], pictures[1], u, v));
    double sum = 0;
    size_t count = 0;
    for (size_t y = 0; y < HIGH; y++)
        for (size_t x = 0; x < WIDE; x++) {
            float right = u[y * WIDE + x], down = v[y * WIDE + x];
            assert_true(isfinite(right) && isfinite(down));
            if (x < MARGIN || y < MARGIN || x >= WIDE - MARGIN || y >= HIGH - MARGIN)
                continue;
            sum += hypot((double)right - RIGHT, (double)down + UP);
            count++;
        }
    assert_true(sum / (double)count < .1);
    i3d_flow_free(flow);
    memory_free(texture);
    memory_free(pictures[0]);
    memory_free(pictures[1]);
    memory_free(u);
    memory_free(v);
}

static void bytes_round_half_to_even_and_clamp(void **state)
{
    (void)state;
    static const float flow[] = { 0, -20, 20, -21, 1e30f, 20.0f / 255, -20.0f / 255, NAN };
    uint8_t bytes[8];
    i3d_flow_to_bytes(flow, 8, 20, bytes);
    static const uint8_t expected[] = { 128, 0, 255, 0, 255, 128, 127, 0 };
    assert_memory_equal(bytes, expected, sizeof bytes);
    i3d_flow_to_bytes((float[]){ .5f / 255, 1.5f / 255, 2.5f / 255 }, 3, .5, bytes);
    assert_int_equal(bytes[0], 128);
    assert_int_equal(bytes[1], 129);
    assert_int_equal(bytes[2], 130);
}

static void options_out_of_range_are_named(void **state)
{
    (void)state;
    i3d_flow_options options, good;
    i3d_flow *flow;
    assert_fails(i3d_flow_preset("nonsense", &options), I3D_EINVAL,
                 "opencv, opencv5, opencv-cuda, ipol");
    assert_ok(i3d_flow_preset(NULL, &good));
    options = good;
    options.median = 4;
    assert_fails(i3d_flow_create(&options, W, H, &flow), I3D_EINVAL, "'median' is 4");
    options = good;
    options.scale = 1;
    assert_fails(i3d_flow_create(&options, W, H, &flow), I3D_EINVAL, "'scale' is 1");
    options = good;
    options.tau = NAN;
    assert_fails(i3d_flow_create(&options, W, H, &flow), I3D_EINVAL, "'tau' is nan");
    options = good;
    options.subpixels = 48;
    assert_fails(i3d_flow_create(&options, W, H, &flow), I3D_EINVAL, "power of two");
    assert_fails(i3d_flow_create(&good, 0, H, &flow), I3D_EINVAL, "0 x 72");
    assert_null(flow);
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    i3d_flow_options options;
    i3d_flow *flow;
    i3d_status status = I3D_ENOMEM;
    assert_ok(i3d_flow_preset("opencv", &options));
    for (long n = 1; status == I3D_ENOMEM; n++) {
        memory_fail_at(n);
        status = i3d_flow_create(&options, W, H, &flow);
        memory_fail_at(0);
        if (status != I3D_OK)
            assert_null(flow);
        assert_true(n < 100);
    }
    assert_int_equal(status, I3D_OK);
    i3d_flow_free(flow);
}

static void a_pair_allocates_nothing(void **state)
{
    (void)state;
    static uint8_t from[CELLS], to[CELLS];
    static float u[CELLS], v[CELLS];
    noise(4, CELLS, from);
    noise(5, CELLS, to);
    i3d_flow *flow = create("opencv", W, H);
    memory_fail_at(1);
    i3d_status status = i3d_flow_run(flow, from, to, u, v);
    i3d_field field;
    i3d_status later = i3d_field_read(I3D_GOLDEN "/flow/smooth.flo", &field);
    memory_fail_at(0);
    assert_int_equal(status, I3D_OK);
    assert_int_equal(later, I3D_ENOMEM); /* the trap was still set */
    i3d_flow_free(flow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opencv_agrees_on_a_smooth_motion),
        cmocka_unit_test(opencv_agrees_on_a_moving_object),
        cmocka_unit_test(ipol_is_the_ipol_program),
        cmocka_unit_test(the_flow_of_a_shifted_picture_is_the_shift),
        cmocka_unit_test(a_motion_that_leaves_the_picture_is_found_up_to_the_border),
        cmocka_unit_test(identical_pictures_have_no_flow),
        cmocka_unit_test(mirroring_negates_u),
        cmocka_unit_test(a_sequence_gives_the_flow_of_its_pairs),
        cmocka_unit_test(flow_is_finite_on_anything),
        cmocka_unit_test(an_unchanging_picture_pair_without_texture_has_no_flow),
        cmocka_unit_test(looking_less_often_changes_nothing_but_the_stop),
        cmocka_unit_test(a_motion_of_hundreds_of_pixels_does_not_wrap),
        cmocka_unit_test(frames_of_4k_have_flow),
        cmocka_unit_test(bytes_round_half_to_even_and_clamp),
        cmocka_unit_test(options_out_of_range_are_named),
        cmocka_unit_test(every_failed_allocation_is_reported),
        cmocka_unit_test(a_pair_allocates_nothing),
    };
    return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
