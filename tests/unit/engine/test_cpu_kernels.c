/* The cpu engine's pools, norms and layouts: every instruction set gives the bits of plain C.
 * `test_engine_cpu_kernels --time` prints nanoseconds a number. */
#include "test.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "engine/cpu/isa.h"
#include "engine/cpu/kernels.h"

#include <string.h>

enum { SAMPLES = 2, RESULTS_MAX = 12 };

/* Results of one table, row-major, so that tables of other lanes compare. */
struct results {
    float *arrays[RESULTS_MAX];
    size_t floats[RESULTS_MAX];
    int count;
};

/* In the kernels themselves. */
static double spent;

static void *get(size_t count, size_t size)
{
    void *memory;
    assert_ok(memory_get(count, size, &memory));
    return memory;
}

static float *draw(uint64_t index, size_t count)
{
    struct random random = random_for(3, RANDOM_TRIAL, 0, index);
    float *numbers = get(count, sizeof *numbers);
    for (size_t i = 0; i < count; i++)
        numbers[i] = random_below(&random, 9) ? (float)(2 * random_unit(&random) - 1) : 0;
    return numbers;
}

/* Another slice of zeroes with room for whole blocks. */
static struct slice make_slice(const struct kernels *kernels, int channels, size_t map)
{
    size_t lanes = (size_t)kernels->lanes;
    size_t whole = ((size_t)channels + lanes - 1) / lanes * lanes;
    return (struct slice){ .data = get(SAMPLES * whole * map, kernels->element),
                           .sample = whole * map,
                           .map = map,
                           .channels = channels };
}

static struct slice draw_slice(const struct kernels *kernels, uint64_t index, int channels,
                               size_t map)
{
    struct slice slice = make_slice(kernels, channels, map);
    float *numbers = draw(index, SAMPLES * (size_t)channels * map);
    kernels->pack(SAMPLES, numbers, slice);
    memory_free(numbers);
    return slice;
}

static void keep_floats(struct results *results, const float *from, size_t count)
{
    assert_true(results->count < RESULTS_MAX);
    results->floats[results->count] = count;
    results->arrays[results->count] = get(count, sizeof *from);
    memcpy(results->arrays[results->count++], from, count * sizeof *from);
}

/* And frees it. */
static void keep(const struct kernels *kernels, struct results *results, struct slice slice)
{
    size_t floats = SAMPLES * (size_t)slice.channels * slice.map;
    float *numbers = get(floats, sizeof *numbers);
    kernels->unpack(SAMPLES, slice, numbers);
    keep_floats(results, numbers, floats);
    memory_free(numbers);
    memory_free(slice.data);
}

static struct op make_pool(int channels, const int size[3], const int kernel[3],
                           const int stride[3])
{
    struct op op = { .kind = OP_POOL, .channels = channels, .in_channels = channels };
    for (int d = 0; d < 3; d++) {
        int out = (size[d] + stride[d] - 1) / stride[d];
        int padding = (out - 1) * stride[d] + kernel[d] - size[d];
        op.kernel[d] = kernel[d];
        op.stride[d] = stride[d];
        op.size_in[d] = size[d];
        op.size_out[d] = out;
        op.front[d] = padding > 0 ? padding / 2 : 0;
        op.back[d] = padding > 0 ? padding - padding / 2 : 0;
    }
    return op;
}

static void run_pool(const struct kernels *kernels, const struct op *op, struct results *results)
{
    size_t in_map = (size_t)op->size_in[0] * (size_t)op->size_in[1] * (size_t)op->size_in[2];
    struct slice in = draw_slice(kernels, 0, op->channels, in_map);
    struct slice out = make_slice(kernels, op->channels, op_map(op));
    struct slice out_gradient = draw_slice(kernels, 1, op->channels, op_map(op));
    struct slice in_gradient = draw_slice(kernels, 2, op->channels, in_map);
    uint8_t *winner = get(SAMPLES * out.sample, 1);
    double begin = clock_seconds();
    kernels->pool(op, SAMPLES, in, out, winner);
    kernels->pool_backward(op, SAMPLES, winner, out_gradient, in_gradient, true);
    spent += clock_seconds() - begin;
    keep(kernels, results, out);
    keep(kernels, results, in_gradient);
    memory_free(in.data);
    memory_free(out_gradient.data);
    memory_free(winner);
}

/* Factors of whole blocks; scale and shift are drawn for the channels there are. */
static struct norm_factors make_factors(int channels)
{
    size_t whole = ((size_t)channels + 15) / 16 * 16;
    float *floats = get(4 * whole, sizeof *floats), *drawn = draw(3, 2 * (size_t)channels);
    struct norm_factors norm = { floats, floats + whole, floats + 2 * whole, floats + 3 * whole };
    memcpy(norm.scale, drawn, (size_t)channels * sizeof *drawn);
    memcpy(norm.shift, drawn + channels, (size_t)channels * sizeof *drawn);
    memory_free(drawn);
    return norm;
}

static void run_norm(const struct kernels *kernels, int channels, size_t map,
                     struct results *results)
{
    size_t whole = ((size_t)channels + 15) / 16 * 16;
    struct slice in = draw_slice(kernels, 4, channels, map);
    struct slice out = make_slice(kernels, channels, map);
    struct slice gradient = draw_slice(kernels, 5, channels, map);
    float *scratch = get(norm_scratch_bytes(SAMPLES, channels, map), 1);
    float *sums = get(2 * whole, sizeof *sums);
    struct norm_factors norm = make_factors(channels);
    struct norm_sums of = { sums, sums + whole };
    double begin = clock_seconds();
    kernels->norm_measure(SAMPLES, in, scratch, norm);
    kernels->norm_apply(SAMPLES, SAMPLES, in, norm, out);
    kernels->norm_sum(SAMPLES, in, gradient, scratch, norm, of);
    spent += clock_seconds() - begin;
    keep_floats(results, norm.mean, (size_t)channels);
    keep_floats(results, norm.variance, (size_t)channels);
    keep_floats(results, of.gradient, (size_t)channels);
    keep_floats(results, of.product, (size_t)channels);
    kernels->norm_backward(SAMPLES, SAMPLES, gradient, norm, &of, (double)(SAMPLES * in.map), 1e-3,
                           in);
    kernels->add(SAMPLES * out.sample, in.data, out.data);
    keep(kernels, results, in);
    keep(kernels, results, out);
    memory_free(gradient.data);
    memory_free(scratch);
    memory_free(sums);
    memory_free(norm.mean);
}

static void free_results(struct results *results)
{
    for (int i = 0; i < results->count; i++)
        memory_free(results->arrays[i]);
    *results = (struct results){ 0 };
}

static void assert_same(const struct results *plain, const struct results *other, enum isa isa)
{
    assert_int_equal(plain->count, other->count);
    for (int i = 0; i < plain->count; i++)
        if (memcmp(plain->arrays[i], other->arrays[i], plain->floats[i] * sizeof(float)) != 0)
            fail_msg("result %d of instruction set %d is another than plain C's", i, isa);
}

static void pools_are_equal(void **state)
{
    (void)state;
    static const struct {
        int channels, size[3], kernel[3], stride[3];
    } cases[] = { { 16, { 4, 9, 11 }, { 1, 3, 3 }, { 1, 2, 2 } },
                  { 24, { 5, 8, 7 }, { 3, 3, 3 }, { 2, 2, 2 } },
                  { 40, { 3, 5, 6 }, { 3, 3, 3 }, { 1, 1, 1 } },
                  { 5, { 4, 7, 7 }, { 2, 2, 2 }, { 2, 2, 2 } } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct op op =
            make_pool(cases[i].channels, cases[i].size, cases[i].kernel, cases[i].stride);
        struct results plain = { 0 }, other = { 0 };
        run_pool(isa_kernels(ISA_PLAIN, false), &op, &plain);
        for (enum isa isa = ISA_AVX2; isa <= isa_best(); isa++) {
            run_pool(isa_kernels(isa, false), &op, &other);
            assert_same(&plain, &other, isa);
            free_results(&other);
        }
        free_results(&plain);
    }
}

static void norms_are_equal(void **state)
{
    (void)state;
    static const struct {
        int channels;
        size_t map;
    } cases[] = { { 16, 700 }, { 40, 513 }, { 7, 33 }, { 64, 1 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct results plain = { 0 }, other = { 0 };
        run_norm(isa_kernels(ISA_PLAIN, false), cases[i].channels, cases[i].map, &plain);
        for (enum isa isa = ISA_AVX2; isa <= isa_best(); isa++) {
            run_norm(isa_kernels(isa, false), cases[i].channels, cases[i].map, &other);
            assert_same(&plain, &other, isa);
            free_results(&other);
        }
        free_results(&plain);
    }
}

static void print_times(void)
{
    static const char *const names[ISA_COUNT] = { "plain", "AVX2", "AVX-512" };
    enum { CHANNELS = 192 };
    struct op op =
        make_pool(CHANNELS, (int[]){ 16, 28, 28 }, (int[]){ 3, 3, 3 }, (int[]){ 1, 1, 1 });
    double numbers = (double)SAMPLES * CHANNELS * (double)op_map(&op);
    printf("%-8s %8s %8s   ns a number, forward and backward\n", "kernels", "pool", "norm");
    for (enum isa isa = ISA_PLAIN; isa <= isa_best(); isa++) {
        struct results results = { 0 };
        spent = 0;
        run_pool(isa_kernels(isa, false), &op, &results);
        double pool = spent;
        run_norm(isa_kernels(isa, false), CHANNELS, op_map(&op), &results);
        printf("%-8s %8.2f %8.2f\n", names[isa], pool / numbers * 1e9,
               (spent - pool) / numbers * 1e9);
        free_results(&results);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pools_are_equal),
        cmocka_unit_test(norms_are_equal),
    };
    if (argc > 1 && strcmp(argv[1], "--time") == 0) {
        print_times();
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
