/* The twins of sums, copies and layouts. */
#include "field.h"

#include "engine/reference/sum.h"

enum { COUNT = 2, MAP = 45 };

static const int channel_counts[] = { 16, 3, 265 };

/* Up to four drawn fields and what they hold. */
struct inputs {
    struct field fields[SUM_MAX];
    float *floats[SUM_MAX];
};

static void draw_inputs(enum element type, int channels, int lie, struct inputs *out)
{
    for (int v = 0; v < SUM_MAX; v++) {
        out->floats[v] = field_floats((size_t)COUNT * MAP * (size_t)channels);
        out->fields[v] = field_draw(type, COUNT, MAP, channels, field_lies[(lie + v / 2) % 3],
                                    (uint64_t)v, -1, 1, out->floats[v]);
    }
}

static void free_inputs(struct inputs *inputs)
{
    for (int v = 0; v < SUM_MAX; v++) {
        memory_free(inputs->floats[v]);
        field_free(&inputs->fields[v]);
    }
}

/* OP_ADD both ways, the sum of all, and in place. */
static void check_sums(enum element type, int channels, int lie)
{
    struct inputs inputs;
    draw_inputs(type, channels, lie, &inputs);
    size_t floats = field_count(&inputs.fields[0]);
    float *expected = field_floats(floats), *got = field_floats(floats), *second;
    struct field out = field_create(type, COUNT, MAP, channels, field_lies[lie]);
    struct sum_args args = { .count = 2, .out = out.view, .relu = true };
    for (int v = 0; v < SUM_MAX; v++)
        args.in[v] = inputs.fields[v].view;
    kernel_sum(NULL, &args);
    field_get(&out, got);
    sum_forward(inputs.floats[0], inputs.floats[1], true, floats, expected);
    field_compare("add", expected, got, floats, field_tolerance(type));
    field_check_untouched(&out);

    args.mask = inputs.fields[3].view;
    args.relu = false;
    args.out = args.in[1];
    kernel_sum(NULL, &args);
    field_get(&inputs.fields[1], got);
    second = inputs.floats[1];
    sum_backward(inputs.floats[3], inputs.floats[0], true, floats, second, NULL);
    field_compare("add backward", second, got, floats, field_tolerance(type));
    field_check_untouched(&inputs.fields[1]);
    field_get(&inputs.fields[1], second);

    args.mask.data = NULL;
    args.count = 4;
    args.out = args.in[2];
    kernel_sum(NULL, &args);
    field_get(&inputs.fields[2], got);
    for (size_t i = 0; i < floats; i++)
        expected[i] = inputs.floats[0][i] + second[i] + inputs.floats[2][i] + inputs.floats[3][i];
    field_compare("sum of four", expected, got, floats, field_tolerance(type));
    free_inputs(&inputs);
    field_free(&out);
    memory_free(expected);
    memory_free(got);
}

static void check_copies(enum element type, int channels, int lie)
{
    struct inputs inputs;
    draw_inputs(type, channels, lie, &inputs);
    size_t floats = field_count(&inputs.fields[0]);
    float *got = field_floats(floats), scale = 8;
    for (int to = 0; to <= ELEMENT_F16; to++) {
        struct field out = field_create((enum element)to, COUNT, MAP, channels, field_lies[lie]);
        kernel_copy(NULL, &(struct copy_args){ inputs.fields[0].view, out.view });
        field_get(&out, got);
        field_compare("copy", inputs.floats[0], got, floats, field_tolerance((enum element)to));
        field_check_untouched(&out);
        field_free(&out);
    }
    struct layout_args args = { COUNT, MAP, got, inputs.fields[0].view, NULL };
    memset(got, 0, floats * sizeof *got);
    kernel_unpack(NULL, &args);
    assert_memory_equal(got, inputs.floats[0], floats * sizeof *got);
    args.floats = inputs.floats[1];
    args.scale = &scale;
    kernel_pack(NULL, &args);
    field_get(&inputs.fields[0], got);
    for (size_t i = 0; i < floats; i++)
        assert_true(got[i] == inputs.floats[1][i] * scale);
    field_check_untouched(&inputs.fields[0]);
    free_inputs(&inputs);
    memory_free(got);
}

static void try_all(void (*check)(enum element type, int channels, int lie))
{
    for (int type = 0; type <= ELEMENT_F16; type++)
        for (int c = 0; c < 3; c++)
            for (int lie = 0; lie < FIELD_LIES; lie++)
                check((enum element)type, channel_counts[c], lie);
}

static void test_sums(void **state)
{
    (void)state;
    try_all(check_sums);
}

static void test_copies(void **state)
{
    (void)state;
    try_all(check_copies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
