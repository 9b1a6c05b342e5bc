/* Our Winograd convolutions, each instruction set and tile, beside a direct one in float64. Their
 * times: bench/convolution_bench. */
#include "test.h"

#include "base/memory.h"
#include "base/random.h"
#include "engine/cpu/winograd.h"

#include <math.h>
#include <omp.h>

extern const struct winograd_kernels winograd_wide;

/* Everything of one convolution, row-major in float64, and as the kernels have it. */
struct trial {
    struct op op;
    int samples, lanes;
    double *in, *weight, *out, *in_gradient, *weight_gradient, *out_gradient;
    size_t in_map, out_map, taps;
};

static void *get(size_t count, size_t size)
{
    void *memory;
    assert_ok(memory_get(count, size, &memory));
    return memory;
}

static double *draw(uint64_t index, size_t count)
{
    struct random random = random_for(1, RANDOM_TRIAL, 0, index);
    double *numbers = get(count, sizeof *numbers);
    for (size_t i = 0; i < count; i++)
        numbers[i] = (double)(float)(2 * random_unit(&random) - 1);
    return numbers;
}

/* TF SAME padding. */
static struct op make_op(int in, int out, const int size[3], int kernel, int stride)
{
    struct op op = { .kind = OP_CONV, .name = "trial", .in_channels = in, .channels = out };
    for (int d = 0; d < 3; d++) {
        op.kernel[d] = kernel;
        op.stride[d] = stride;
        op.size_in[d] = size[d];
        op.size_out[d] = (size[d] + stride - 1) / stride;
        int padding = (op.size_out[d] - 1) * stride + kernel - size[d];
        op.front[d] = padding > 0 ? padding / 2 : 0;
        op.back[d] = padding > 0 ? padding - padding / 2 : 0;
    }
    return op;
}

static size_t map_of(const int size[3])
{
    return (size_t)size[0] * (size_t)size[1] * (size_t)size[2];
}

/* Position of the input under a tap of a result, -1: padding. */
static ptrdiff_t source_of(const struct op *op, size_t result, size_t tap)
{
    size_t at = 0;
    for (int d = 0; d < 3; d++) {
        size_t results = 1, taps = 1;
        for (int e = d + 1; e < 3; e++) {
            results *= (size_t)op->size_out[e];
            taps *= (size_t)op->kernel[e];
        }
        int x = (int)(result / results % (size_t)op->size_out[d]) * op->stride[d] +
                (int)(tap / taps % (size_t)op->kernel[d]) - op->front[d];
        if (x < 0 || x >= op->size_in[d])
            return -1;
        at = at * (size_t)op->size_in[d] + (size_t)x;
    }
    return (ptrdiff_t)at;
}

/* One channel of one sample: result and gradients. */
static void convolve(struct trial *trial, size_t in, size_t weight, size_t out)
{
    for (size_t tap = 0; tap < trial->taps; tap++)
        for (size_t i = 0; i < trial->out_map; i++) {
            ptrdiff_t at = source_of(&trial->op, i, tap);
            if (at < 0)
                continue;
            size_t x = in * trial->in_map + (size_t)at, y = out * trial->out_map + i;
            size_t w = weight * trial->taps + tap;
            trial->out[y] += trial->in[x] * trial->weight[w];
            trial->weight_gradient[w] += trial->in[x] * trial->out_gradient[y];
            trial->in_gradient[x] += trial->weight[w] * trial->out_gradient[y];
        }
}

static struct trial make_trial(struct op op, int samples)
{
    struct trial trial = { .op = op, .samples = samples };
    size_t ins = (size_t)op.in_channels, outs = (size_t)op.channels, count = (size_t)samples;
    trial.in_map = map_of(op.size_in);
    trial.out_map = map_of(op.size_out);
    trial.taps = map_of(op.kernel);
    trial.in = draw(0, count * ins * trial.in_map);
    trial.out_gradient = draw(1, count * outs * trial.out_map);
    trial.weight = draw(2, outs * ins * trial.taps);
    trial.out = get(count * outs * trial.out_map, sizeof(double));
    trial.in_gradient = get(count * ins * trial.in_map, sizeof(double));
    trial.weight_gradient = get(outs * ins * trial.taps, sizeof(double));
    for (size_t n = 0; n < count; n++)
        for (size_t o = 0; o < outs; o++)
            for (size_t i = 0; i < ins; i++)
                convolve(&trial, n * ins + i, o * ins + i, n * outs + o);
    return trial;
}

static void free_trial(struct trial *trial)
{
    memory_free(trial->in);
    memory_free(trial->weight);
    memory_free(trial->out);
    memory_free(trial->in_gradient);
    memory_free(trial->weight_gradient);
    memory_free(trial->out_gradient);
}

/* Row-major [count, channels, map] to blocks of `lanes`; 1: as it is. */
static float *block(const double *from, int count, int channels, size_t map, int lanes)
{
    size_t blocks = ((size_t)channels + (size_t)lanes - 1) / (size_t)lanes;
    float *to = get((size_t)count * blocks * (size_t)lanes * map, sizeof *to);
    for (size_t n = 0; n < (size_t)count; n++)
        for (size_t c = 0; c < (size_t)channels; c++)
            for (size_t i = 0; i < map; i++) {
                size_t at = (n * blocks + c / (size_t)lanes) * map + i;
                to[at * (size_t)lanes + c % (size_t)lanes] =
                    (float)from[(n * (size_t)channels + c) * map + i];
            }
    return to;
}

/* The largest error, in parts of the largest number. */
static double error_of(const float *got, const double *wanted, int count, int channels, size_t map,
                       int lanes)
{
    size_t blocks = ((size_t)channels + (size_t)lanes - 1) / (size_t)lanes;
    double error = 0, largest = 0;
    for (size_t n = 0; n < (size_t)count; n++)
        for (size_t c = 0; c < (size_t)channels; c++)
            for (size_t i = 0; i < map; i++) {
                size_t at = (n * blocks + c / (size_t)lanes) * map + i;
                double number = wanted[(n * (size_t)channels + c) * map + i];
                double off = fabs((double)got[at * (size_t)lanes + c % (size_t)lanes] - number);
                error = off > error || isnan(off) ? off : error;
                largest = fmax(largest, fabs(number));
            }
    return error / largest;
}

static void assert_small(const char *name, const char *pass, const struct trial *trial,
                         enum winograd_tile tile, double error)
{
    double bound = tile == TILE_3X5X5 ? 4e-5 : 1e-5;
    print_message("%-8s %s %3d -> %-3d %-8s largest error %.1e\n", name,
                  winograd_extents[tile].name, trial->op.in_channels, trial->op.channels, pass,
                  error);
    assert_true(error <= bound);
}

/* Runs forward or, turned, backward to the data. */
static float *run(const struct winograd_kernels *kernels, const struct winograd *winograd,
                  const float *weight, const float *bias, const float *in)
{
    int lanes = kernels->lanes, blocks = (winograd->channels + lanes - 1) / lanes;
    float *transformed = get(winograd_weight_floats(winograd), sizeof(float));
    float *scratch = get(winograd_scratch_floats(winograd), sizeof(float));
    float *out = get((size_t)(winograd->samples * blocks * lanes) * map_of(winograd->size_out),
                     sizeof(float));
    kernels->load(winograd, weight, transformed);
    kernels->run(winograd, in, transformed, bias, out, scratch);
    memory_free(transformed);
    memory_free(scratch);
    return out;
}

static void check_forward(const char *name, const struct winograd_kernels *kernels,
                          const struct trial *trial, enum winograd_tile tile, const float *in,
                          const float *weight)
{
    const struct op *op = &trial->op;
    int lanes = kernels->lanes;
    struct winograd winograd = winograd_describe(op, tile, false, lanes, trial->samples, 2);
    size_t outs = (size_t)op->channels, count = (size_t)trial->samples * outs * trial->out_map;
    float *bias = get((size_t)(winograd.panels * 2 * lanes), sizeof *bias);
    double *cut = get(count, sizeof *cut);
    for (int c = 0; c < op->channels; c++)
        bias[c] = (float)(c % 7 - 3);
    for (size_t i = 0; i < count; i++)
        cut[i] = fmax(0, trial->out[i] + (double)bias[i / trial->out_map % outs]);
    float *plain = run(kernels, &winograd, weight, NULL, in);
    float *fused = run(kernels, &winograd, weight, bias, in);
    assert_small(name, "forward", trial, tile,
                 error_of(plain, trial->out, trial->samples, op->channels, trial->out_map, lanes));
    assert_small(name, "fused", trial, tile,
                 error_of(fused, cut, trial->samples, op->channels, trial->out_map, lanes));
    memory_free(bias);
    memory_free(cut);
    memory_free(plain);
    memory_free(fused);
}

static void check_backward(const char *name, const struct winograd_kernels *kernels,
                           const struct trial *trial, enum winograd_tile tile, const float *in,
                           const float *weight, const float *out_gradient)
{
    const struct op *op = &trial->op;
    int lanes = kernels->lanes;
    struct winograd winograd = winograd_describe(op, tile, false, lanes, trial->samples, 2);
    struct winograd turned = winograd_describe(op, tile, true, lanes, trial->samples, 2);
    float *scratch = get(winograd_weights_scratch_floats(&winograd), sizeof *scratch);
    float *gradient = get((size_t)(op->channels * op->in_channels) * trial->taps, sizeof *gradient);
    kernels->run_weights(&winograd, in, out_gradient, gradient, scratch);
    assert_small(
        name, "weights", trial, tile,
        error_of(gradient, trial->weight_gradient, op->channels, op->in_channels, trial->taps, 1));
    memory_free(scratch);
    memory_free(gradient);
    if (op->stride[0] == 2)
        return;
    gradient = run(kernels, &turned, weight, NULL, out_gradient);
    assert_small(name, "data", trial, tile,
                 error_of(gradient, trial->in_gradient, trial->samples, op->in_channels,
                          trial->in_map, lanes));
    memory_free(gradient);
}

static void check(const char *name, const struct winograd_kernels *kernels,
                  const struct trial *trial)
{
    const struct op *op = &trial->op;
    int lanes = kernels->lanes, in_lanes = op->stride[0] == 2 ? 1 : lanes;
    float *in = block(trial->in, trial->samples, op->in_channels, trial->in_map, in_lanes);
    float *weight = block(trial->weight, op->channels, op->in_channels, trial->taps, 1);
    float *out_gradient =
        block(trial->out_gradient, trial->samples, op->channels, trial->out_map, lanes);
    for (enum winograd_tile tile = 0; tile < TILE_COUNT; tile++) {
        if (!winograd_fits(op, tile))
            continue;
        check_forward(name, kernels, trial, tile, in, weight);
        check_backward(name, kernels, trial, tile, in, weight, out_gradient);
    }
    memory_free(in);
    memory_free(weight);
    memory_free(out_gradient);
}

static const struct {
    int in, out, size[3], kernel, stride, samples;
} cases[] = {
    { 8, 16, { 5, 7, 9 }, 3, 1, 1 },    { 24, 40, { 4, 14, 14 }, 3, 1, 2 },
    { 32, 48, { 2, 7, 7 }, 3, 1, 1 },   { 20, 24, { 2, 1, 1 }, 3, 1, 1 },
    { 16, 8, { 9, 12, 20 }, 3, 1, 1 },  { 3, 24, { 8, 32, 32 }, 7, 2, 1 },
    { 2, 16, { 9, 31, 33 }, 7, 2, 2 },  { 3, 20, { 6, 13, 47 }, 8, 2, 1 },
    { 3, 64, { 16, 16, 16 }, 7, 2, 1 },
};

static void every_pass_is_near_a_direct_convolution(void **state)
{
    (void)state;
    omp_set_num_threads(2);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trial trial = make_trial(
            make_op(cases[i].in, cases[i].out, cases[i].size, cases[i].kernel, cases[i].stride),
            cases[i].samples);
        check("plain", &winograd_plain, &trial);
        check("wide", &winograd_wide, &trial);
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
            check("AVX2", &winograd_avx2, &trial);
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
            check("AVX-512", &winograd_avx512, &trial);
        free_trial(&trial);
    }
}

static void a_result_does_not_depend_on_the_threads(void **state)
{
    (void)state;
    struct op op = make_op(16, 40, (const int[]){ 6, 15, 18 }, 3, 1);
    struct trial trial = make_trial(op, 1);
    float *in = block(trial.in, 1, op.in_channels, trial.in_map, 8);
    float *weight = block(trial.weight, op.channels, op.in_channels, trial.taps, 1);
    struct winograd winograd = winograd_describe(&op, TILE_4X4X4, false, 8, 1, 3);
    omp_set_num_threads(1);
    float *alone = run(&winograd_plain, &winograd, weight, NULL, in);
    omp_set_num_threads(3);
    float *shared = run(&winograd_plain, &winograd, weight, NULL, in);
    assert_memory_equal(alone, shared, 40 * trial.out_map * sizeof *alone);
    memory_free(in);
    memory_free(weight);
    memory_free(alone);
    memory_free(shared);
    free_trial(&trial);
}

static void a_number_that_is_none_is_not_hidden(void **state)
{
    (void)state;
    struct op op = make_op(8, 16, (const int[]){ 4, 4, 4 }, 3, 1);
    struct trial trial = make_trial(op, 1);
    float *in = block(trial.in, 1, op.in_channels, trial.in_map, 8), bias[16] = { 0 };
    float *weight = block(trial.weight, op.channels, op.in_channels, trial.taps, 1);
    struct winograd winograd = winograd_describe(&op, TILE_4X4X4, false, 8, 1, 3);
    in[0] = NAN;
    float *out = run(&winograd_plain, &winograd, weight, bias, in);
    assert_true(isnan(out[0]));
    memory_free(in);
    memory_free(weight);
    memory_free(out);
    free_trial(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pass_is_near_a_direct_convolution),
        cmocka_unit_test(a_result_does_not_depend_on_the_threads),
        cmocka_unit_test(a_number_that_is_none_is_not_hidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
