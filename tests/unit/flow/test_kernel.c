/* Every table of kernels this processor can run gives the bits of the plain C one, and the plain C
 * medians are medians. `test_flow_kernel --time` also prints how long each takes. */
#include "test.h"

#include "base/random.h"
#include "flow/kernel.h"

#include <math.h>
#include <time.h>

enum { WIDTH_MAX = 333, STRIDE = 336 + LANES, ROW = STRIDE * SECTIONS, HEIGHT = 9 };

static const int widths[] = { 1, 2, 15, 16, 17, 31, 64, 131, 320, WIDTH_MAX };
enum { WIDTHS = sizeof widths / sizeof widths[0] };

static float uniform(struct random *random, double least, double most)
{
    return (float)(least + (most - least) * random_unit(random));
}

/* A row as the solver has it: unit gradients, some of them zero; q within theta; idle cells zero.
 */
static void fill_row(struct random *random, int width, float *row)
{
    memset(row, 0, ROW * sizeof *row);
    for (int x = 0; x < width; x++) {
        double angle = 6.2832 * random_unit(random);
        int flat = random_below(random, 8) == 0;
        row[NX * STRIDE + x] = flat ? 0 : (float)cos(angle);
        row[NY * STRIDE + x] = flat ? 0 : (float)sin(angle);
        row[R * STRIDE + x] = flat ? 0 : uniform(random, -3, 3);
        row[T * STRIDE + x] = flat ? 0 : uniform(random, 0, 2);
        row[U * STRIDE + x] = uniform(random, -9, 9);
        row[V * STRIDE + x] = uniform(random, -9, 9);
        for (int i = 0; i < 4; i++) {
            static const enum section q[4] = { Q11, Q12, Q21, Q22 };
            row[(int)q[i] * STRIDE + x] = uniform(random, -.3, .3);
        }
    }
}

static void assert_same_rows(const char *kernel, const char *table, int width, const float *a,
                             const float *b)
{
    for (int s = 0; s < SECTIONS; s++)
        if (memcmp(a + s * STRIDE, b + s * STRIDE, (size_t)width * sizeof *a) != 0)
            fail_msg("%s of %s differs from plain C at width %d, section %d", kernel, table, width,
                     s);
}

static void iterations_are_equal(void **state)
{
    (void)state;
    static float above[ROW], rows[2][ROW], below[ROW], change[2][STRIDE];
    struct random random = random_for(7, RANDOM_TRIAL, 0, 0);
    const struct flow_kernels *const *all = flow_kernels_all();
    for (int t = 1; all[t]; t++)
        for (int w = 0; w < WIDTHS; w++) {
            int width = widths[w];
            fill_row(&random, width, above);
            fill_row(&random, width, rows[0]);
            fill_row(&random, width, below);
            memcpy(rows[1], rows[0], sizeof rows[0]);
            memset(change, 0, sizeof change);
            for (int i = 0; i < 2; i++) {
                const struct flow_kernels *kernels = i ? all[t] : all[0];
                kernels->primal(rows[i], above, width, STRIDE, change[i]);
                kernels->primal(rows[i], above, width, STRIDE, change[i]);
                kernels->dual(rows[i], below, width, STRIDE, .25f, .25f / .3f);
            }
            assert_same_rows("primal and dual", all[t]->name, width, rows[0], rows[1]);
            assert_memory_equal(change[0], change[1], (size_t)width * sizeof(float));
        }
}

/* Taps of any picture and a row's flow that points inside, to the border and far away. */
static void warps_are_equal(void **state)
{
    (void)state;
    static float taps[(HEIGHT + 2 * BORDER) * (WIDTH_MAX + 2 * BORDER) * CHANNELS];
    static float rows[2][ROW], grey[WIDTH_MAX], sample[WIDTH_MAX * CHANNELS];
    static int places[3 * WIDTH_MAX];
    static struct weights weights = { .bits = 5 };
    struct random random = random_for(8, RANDOM_TRIAL, 0, 0);
    const struct flow_kernels *const *all = flow_kernels_all();
    for (int i = 0; i < 32; i++)
        for (int k = 0; k < 16; k++)
            weights.x[i][k] = weights.y[i][k / 4] = uniform(&random, -.2, 1);
    for (int t = 1; all[t]; t++)
        for (int w = 0; w < WIDTHS; w++) {
            int width = widths[w], cells = (HEIGHT + 2 * BORDER) * (width + 2 * BORDER) * CHANNELS;
            for (int i = 0; i < cells; i++)
                taps[i] = random_below(&random, 5) ? uniform(&random, -200, 255) : 0;
            for (int x = 0; x < width; x++)
                grey[x] = uniform(&random, 0, 255);
            fill_row(&random, width, rows[0]);
            rows[0][U * STRIDE + width / 2] = 1e6f;
            rows[0][V * STRIDE + width / 3] = -1e6f;
            memcpy(rows[1], rows[0], sizeof rows[0]);
            bool inside = w % 2;
            for (int i = 0; i < 2; i++) {
                struct warp_row row = { .weights = &weights,
                                        .taps = taps,
                                        .grey = grey,
                                        .width = width,
                                        .height = HEIGHT,
                                        .y = 4,
                                        .stride = STRIDE,
                                        .inside = inside,
                                        .gain = 1.5f,
                                        .lambda_theta = .045f,
                                        .offset = places,
                                        .at_x = places + WIDTH_MAX,
                                        .at_y = places + 2 * WIDTH_MAX,
                                        .sample = sample };
                (i ? all[t] : all[0])->warp(&row, rows[i]);
            }
            assert_same_rows("warp", all[t]->name, width, rows[0], rows[1]);
            for (int x = 0; x < width; x++)
                assert_true(isfinite(rows[0][R * STRIDE + x]));
        }
}

enum { PITCH = WIDTH_MAX + 4 };

static void medians_are_equal(void **state)
{
    (void)state;
    static int16_t cells[5][PITCH], scratch[5 * PITCH];
    static float out[2][WIDTH_MAX];
    struct random random = random_for(9, RANDOM_TRIAL, 0, 0);
    const struct flow_kernels *const *all = flow_kernels_all();
    const int16_t *rows[5];
    for (int i = 0; i < 5; i++)
        rows[i] = cells[i] + 2;
    for (int t = 1; all[t]; t++)
        for (int w = 0; w < WIDTHS; w++) {
            size_t bytes = (size_t)widths[w] * sizeof(float);
            for (int i = 0; i < 5 * PITCH; i++)
                cells[i / PITCH][i % PITCH] = (int16_t)random_bits(&random);
            all[0]->median5(rows, widths[w], .01f, scratch, out[0]);
            all[t]->median5(rows, widths[w], .01f, scratch, out[1]);
            assert_memory_equal(out[0], out[1], bytes);
            all[0]->median3(rows + 1, widths[w], .01f, scratch, out[0]);
            all[t]->median3(rows + 1, widths[w], .01f, scratch, out[1]);
            assert_memory_equal(out[0], out[1], bytes);
        }
}

/* A network of minima and maxima that is right for every pattern of zeros and ones is right for
 * everything (Knuth, volume 3, 5.3.4). Windows lie side by side, so only every fifth is looked at.
 */
static void medians_are_right_for_all_patterns(void **state)
{
    (void)state;
    enum { WINDOWS = 1024, CELLS = 5 * WINDOWS };
    static int16_t cells[5][CELLS + 4], scratch[5 * (CELLS + 4)];
    static float out[CELLS];
    const struct flow_kernels *kernels = flow_kernels_best();
    const int16_t *rows[5];
    for (int i = 0; i < 5; i++)
        rows[i] = cells[i] + 2;
    for (uint32_t pattern = 0; pattern < 1u << 25; pattern += WINDOWS) {
        for (uint32_t n = 0; n < WINDOWS; n++)
            for (uint32_t i = 0; i < 25; i++)
                cells[i / 5][5 * n + i % 5] = (pattern + n) >> i & 1;
        kernels->median5(rows, CELLS, 1, scratch, out);
        for (uint32_t n = 0; n < WINDOWS; n++)
            if ((int)out[5 * n] != (__builtin_popcount(pattern + n) >= 13))
                fail_msg("the 5 x 5 median of pattern %x is wrong", pattern + n);
    }
    for (uint32_t pattern = 0; pattern < 1u << 9; pattern++) {
        for (uint32_t i = 0; i < 9; i++)
            cells[i / 3][2 + i % 3] = pattern >> i & 1;
        kernels->median3(rows, 3, 1, scratch, out);
        assert_int_equal((int)out[1], __builtin_popcount(pattern) >= 5);
    }
}

static void steps_round_half_to_even_and_repeat_the_ends(void **state)
{
    (void)state;
    static const float row[5] = { -2.5f, .5f, 1.5f, -100, 3 };
    static const int16_t expected[9] = { -2, -2, -2, 0, 2, -100, 3, 3, 3 };
    for (const struct flow_kernels *const *all = flow_kernels_all(); *all; all++) {
        int16_t steps[9];
        (*all)->to_steps(row, 5, 1, steps + 2);
        assert_memory_equal(steps, expected, sizeof steps);
        static const float sizes[5] = { 7, .5f, 1.5f, 100, 3 };
        float most[5] = { 7 };
        (*all)->largest(row, 5, most);
        assert_memory_equal(most, sizes, sizeof most);
    }
}

/* A picture shifted by two: the flow (2, 0) explains it and stays, (9, 0) does not. What points
 * beyond the border cannot be judged and stays too. */
static void recheck_lets_go_of_what_explains_less(void **state)
{
    (void)state;
    enum { WIDTH = 40, LINE = WIDTH + 2 * BORDER, SHIFT = 2, WRONG = 9 };
    static float taps[(HEIGHT + 2 * BORDER) * LINE * CHANNELS];
    static float row[ROW], grey[HEIGHT * WIDTH];
    struct random random = random_for(11, RANDOM_TRIAL, 0, 0);
    struct warp_row warp = { .taps = taps,
                             .grey = grey + 4 * WIDTH,
                             .width = WIDTH,
                             .height = HEIGHT,
                             .y = 4,
                             .stride = STRIDE };
    for (int i = 0; i < (HEIGHT + 2 * BORDER) * LINE; i++)
        taps[i * CHANNELS] = uniform(&random, 0, 255);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            grey[y * WIDTH + x] = taps[((y + BORDER) * LINE + x + SHIFT + BORDER) * CHANNELS];
    for (const struct flow_kernels *const *all = flow_kernels_all(); *all; all++) {
        for (int x = 0; x < WIDTH; x++)
            row[U * STRIDE + x] = x % 2 ? SHIFT : WRONG;
        (*all)->recheck(&warp, row);
        int left = 0;
        for (int x = 0; x < WIDTH; x++)
            if (x % 2)
                assert_float_equal(row[U * STRIDE + x], SHIFT, 0);
            else if (x >= WIDTH - WRONG)
                assert_float_equal(row[U * STRIDE + x], WRONG, 0);
            else
                left += row[U * STRIDE + x] == 0;
        assert_in_range(left, WIDTH / 8, WIDTH / 2 - 1);
    }
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Nanoseconds a pixel of each kernel, on a row that stays in the cache. */
static void print_times(void)
{
    enum { WIDTH = 320, TIMES = 10000, KERNELS = 6 };
    static float above[ROW], row[ROW], change[STRIDE], sample[WIDTH * CHANNELS];
    static float grey[HEIGHT * WIDTH];
    static float taps[(HEIGHT + 2 * BORDER) * (WIDTH_MAX + 2 * BORDER) * CHANNELS];
    static int places[3 * WIDTH];
    static struct weights weights = { .bits = 5 };
    static int16_t cells[5][PITCH], scratch[5 * PITCH];
    static float out[WIDTH_MAX];
    struct warp_row warp = { .weights = &weights,
                             .taps = taps,
                             .grey = grey + 4 * WIDTH,
                             .width = WIDTH,
                             .height = HEIGHT,
                             .y = 4,
                             .stride = STRIDE,
                             .gain = 1,
                             .lambda_theta = .045f,
                             .offset = places,
                             .at_x = places + WIDTH,
                             .at_y = places + 2 * WIDTH,
                             .sample = sample };
    const int16_t *rows[5];
    struct random random = random_for(10, RANDOM_TRIAL, 0, 0);
    for (int i = 0; i < 5; i++)
        rows[i] = cells[i] + 2;
    printf("%-8s %8s %8s %8s %8s %8s %8s   ns a pixel\n", "kernels", "primal", "dual", "warp",
           "recheck", "median3", "median5");
    for (const struct flow_kernels *const *all = flow_kernels_all(); *all; all++) {
        const struct flow_kernels *kernels = *all;
        printf("%-8s", kernels->name);
        for (int kernel = 0; kernel < KERNELS; kernel++) {
            fill_row(&random, WIDTH, above);
            fill_row(&random, WIDTH, row);
            double start = seconds();
            for (int i = 0; i < TIMES; i++)
                switch (kernel) {
                case 0:
                    kernels->primal(row, above, WIDTH, STRIDE, change);
                    break;
                case 1:
                    kernels->dual(row, above, WIDTH, STRIDE, .25f, .83f);
                    break;
                case 2:
                    kernels->warp(&warp, row);
                    break;
                case 3:
                    kernels->recheck(&warp, row);
                    break;
                case 4:
                    kernels->median3(rows, WIDTH, 1, scratch, out);
                    break;
                default:
                    kernels->median5(rows, WIDTH, 1, scratch, out);
                }
            printf(" %8.3f", (seconds() - start) / TIMES / WIDTH * 1e9);
        }
        printf("\n");
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(iterations_are_equal),
        cmocka_unit_test(warps_are_equal),
        cmocka_unit_test(medians_are_equal),
        cmocka_unit_test(medians_are_right_for_all_patterns),
        cmocka_unit_test(steps_round_half_to_even_and_repeat_the_ends),
        cmocka_unit_test(recheck_lets_go_of_what_explains_less),
    };
    if (argc > 1 && strcmp(argv[1], "--time") == 0)
        print_times();
    return cmocka_run_group_tests_name("kernel", tests, NULL, NULL);
}
