/* Tensors, batches and the two 16-bit formats. */
#include "test.h"

#include "base/memory.h"
#include "base/random.h"
#include "tensor/half.h"

#include <i3d/tensor.h>

#include <math.h>

static void a_tensor_owns_zeroed_elements(void **state)
{
    (void)state;
    i3d_tensor tensor;
    assert_ok(i3d_tensor_create("a", I3D_I64, 3, (int64_t[]){ 2, 3, 4 }, &tensor));
    assert_string_equal(tensor.name, "a");
    assert_int_equal(i3d_tensor_count(&tensor), 24);
    for (size_t i = 0; i < 24; i++)
        assert_true(i3d_tensor_get(&tensor, i) == 0);
    i3d_tensor_clear(&tensor);
    i3d_tensor_clear(&tensor);
    assert_ok(i3d_tensor_create("scalar", I3D_F32, 0, NULL, &tensor));
    assert_int_equal(i3d_tensor_count(&tensor), 1);
    i3d_tensor_clear(&tensor);
    assert_ok(i3d_tensor_create("empty", I3D_F32, 2, (int64_t[]){ 5, 0 }, &tensor));
    assert_int_equal(i3d_tensor_count(&tensor), 0);
    i3d_tensor_clear(&tensor);
}

static void impossible_shapes_are_refused(void **state)
{
    (void)state;
    i3d_tensor tensor;
    int64_t huge[] = { INT64_MAX, 4, 4 }, negative[] = { 2, -1 }, ranks[9] = { 0 };
    assert_fails(i3d_tensor_create("big", I3D_F32, 3, huge, &tensor), I3D_EINVAL, "'big'");
    assert_fails(i3d_tensor_create("low", I3D_F32, 2, negative, &tensor), I3D_EINVAL, "'low'");
    assert_fails(i3d_tensor_create("deep", I3D_F32, 9, ranks, &tensor), I3D_EINVAL, "9 dimensions");
    assert_fails(i3d_tensor_create("wide", I3D_F64, 1, huge, &tensor), I3D_ENOMEM, "elements");
    assert_null(tensor.data);
}

static void every_type_reads_as_a_number(void **state)
{
    (void)state;
    static const struct {
        i3d_dtype dtype;
        const char *name;
        uint8_t bytes[8]; /* little endian */
        double value;
    } cases[] = {
        { I3D_F32, "float32", { 0x00, 0x00, 0xc0, 0xbf }, -1.5 },
        { I3D_F64, "float64", { 0, 0, 0, 0, 0, 0, 0xf8, 0xbf }, -1.5 },
        { I3D_F16, "float16", { 0x00, 0xbe }, -1.5 },
        { I3D_BF16, "bfloat16", { 0xc0, 0xbf }, -1.5 },
        { I3D_I8, "int8", { 0xfe }, -2 },
        { I3D_U8, "uint8", { 0xfe }, 254 },
        { I3D_I16, "int16", { 0xfe, 0xff }, -2 },
        { I3D_I32, "int32", { 0xfe, 0xff, 0xff, 0xff }, -2 },
        { I3D_I64, "int64", { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, -2 },
        { I3D_BOOL, "bool", { 1 }, 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        i3d_tensor tensor;
        float floats[2];
        size_t size = i3d_dtype_size(cases[i].dtype);
        assert_ok(i3d_tensor_create("x", cases[i].dtype, 1, (int64_t[]){ 2 }, &tensor));
        memcpy((char *)tensor.data + size, cases[i].bytes, size);
        i3d_tensor_to_f32(&tensor, floats);
        assert_string_equal(i3d_dtype_name(cases[i].dtype), cases[i].name);
        assert_true(i3d_tensor_get(&tensor, 1) == cases[i].value);
        assert_true(floats[0] == 0 && floats[1] == (float)cases[i].value);
        i3d_tensor_clear(&tensor);
    }
}

/* IEEE 754: sign, 5 bits of exponent with bias 15, 10 of mantissa. */
static void every_half_is_what_its_bits_say(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 0x8000; bits++) {
        int exponent = (int)(bits >> 10), mantissa = (int)(bits & 0x3ff);
        float value = half_to_float((uint16_t)bits);
        float negative = half_to_float((uint16_t)(bits | 0x8000));
        if (exponent == 31 && mantissa) {
            assert_true(value != value && negative != negative);
            continue;
        }
        double expected = exponent == 31  ? HUGE_VAL
                          : exponent == 0 ? ldexp(mantissa, -24)
                                          : ldexp(1024 + mantissa, exponent - 25);
        assert_true(value == expected && negative == -expected);
    }
}

static void bfloat16_rounds_to_the_nearest_and_ties_to_even(void **state)
{
    (void)state;
    struct random random = random_for(1, RANDOM_TRIAL, 1, 1);
    for (int i = 0; i < 100000; i++) {
        float value = float_from_bits((uint32_t)random_bits(&random) & 0xbf7fffffu);
        uint16_t rounded = bf16_from_float(value);
        double error = fabs((double)bf16_to_float(rounded) - value);
        for (int step = -1; step <= 1; step += 2) {
            double other = fabs((double)bf16_to_float((uint16_t)(rounded + step)) - value);
            assert_true(error < other || (error == other && rounded % 2 == 0) || other != other);
        }
    }
    assert_int_equal(bf16_from_float(float_from_bits(0x3f808000)), 0x3f80);
    assert_int_equal(bf16_from_float(float_from_bits(0x3f818000)), 0x3f82);
    assert_int_equal(bf16_from_float(float_from_bits(0x7f7fffff)), 0x7f80);
    float nan = bf16_to_float(bf16_from_float(float_from_bits(0x7f800001)));
    assert_true(nan != nan);
}

static void a_batch_holds_clips(void **state)
{
    (void)state;
    i3d_batch batch;
    assert_ok(i3d_batch_create(2, 3, 4, 5, 6, &batch));
    batch.data[2 * 3 * 4 * 5 * 6 - 1] = 1;
    batch.labels[1] = batch.videos[1] = 1;
    assert_int_equal(batch.count, 0);
    i3d_batch_clear(&batch);
    assert_fails(i3d_batch_create(2, 3, 0, 5, 6, &batch), I3D_EINVAL, "is empty");
    memory_fail_at(2);
    assert_fails(i3d_batch_create(2, 3, 4, 5, 6, &batch), I3D_ENOMEM, "no memory");
    memory_fail_at(0);
    assert_null(batch.data);
    assert_fails(i3d_batch_create(1, 65536, 65536, 65536, 65536, &batch), I3D_ENOMEM, "address");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tensor_owns_zeroed_elements),
        cmocka_unit_test(impossible_shapes_are_refused),
        cmocka_unit_test(every_type_reads_as_a_number),
        cmocka_unit_test(every_half_is_what_its_bits_say),
        cmocka_unit_test(bfloat16_rounds_to_the_nearest_and_ties_to_even),
        cmocka_unit_test(a_batch_holds_clips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
