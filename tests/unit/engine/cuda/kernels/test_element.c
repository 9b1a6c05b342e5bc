/* Elements of 16 bits as the tensors' dtypes have them, rounding to the nearest, division. */
#include "field.h"

#include <i3d/tensor.h>

static double get(enum element type, uint16_t bits)
{
    i3d_tensor tensor = { .dtype = type == ELEMENT_BF16 ? I3D_BF16 : I3D_F16, .data = &bits };
    return i3d_tensor_get(&tensor, 0);
}

static void test_every_pattern(void **state)
{
    (void)state;
    for (int type = ELEMENT_BF16; type <= ELEMENT_F16; type++)
        for (uint32_t bits = 0; bits <= 0xffff; bits++) {
            double expected = get((enum element)type, (uint16_t)bits);
            uint16_t element = (uint16_t)bits, back;
            double value = load1(&element, 0, (enum element)type);
            store1((float)value, &back, 0, (enum element)type);
            if (isnan(expected)) {
                assert_true(isnan(value) && isnan(get((enum element)type, back)));
                continue;
            }
            assert_true(value == expected && signbit(value) == signbit(expected));
            assert_int_equal(back, bits);
        }
}

/* What lies between two neighbours becomes the nearer one, the even one in the middle. */
static void test_nearest(void **state)
{
    (void)state;
    for (int type = ELEMENT_BF16; type <= ELEMENT_F16; type++) {
        uint32_t infinite = type == ELEMENT_BF16 ? 0x7f80 : 0x7c00;
        for (uint32_t bits = 0; bits + 1 < infinite; bits++) {
            double low = get((enum element)type, (uint16_t)bits);
            double high = get((enum element)type, (uint16_t)(bits + 1)), middle = (low + high) / 2;
            uint16_t even = (uint16_t)(bits & 1 ? bits + 1 : bits), got;
            if ((double)(float)middle != middle)
                continue; /* below float32's smallest */
            store1((float)middle, &got, 0, (enum element)type);
            assert_int_equal(got, even);
            store1(nextafterf((float)middle, INFINITY), &got, 0, (enum element)type);
            assert_int_equal(got, bits + 1);
            store1(-nextafterf((float)middle, 0), &got, 0, (enum element)type);
            assert_int_equal(got, bits | 0x8000);
        }
        uint16_t got;
        store1(3e38f * 2, &got, 0, (enum element)type);
        assert_int_equal(got, infinite);
    }
    uint16_t got;
    store1(65519.99f, &got, 0, ELEMENT_F16);
    assert_int_equal(got, 0x7bff);
    store1(65520, &got, 0, ELEMENT_F16);
    assert_int_equal(got, 0x7c00);
}

static void test_division(void **state)
{
    (void)state;
    struct random random = random_for(7, (enum random_purpose)1, 0, 0);
    for (int i = 0; i < 300000; i++) {
        uint32_t by = (uint32_t)(random_unit(&random) * (i % 2 ? 3000 : 2e9)) + 1;
        uint32_t number = (uint32_t)(random_unit(&random) * 0x1p31), whole = number;
        struct divider divider = divider_of(by);
        assert_int_equal(divide(number / by * by, &divider), number / by);
        assert_int_equal(split(&whole, &divider), number % by);
        assert_int_equal(whole, number / by);
        assert_int_equal(divide(0x7fffffff, &divider), 0x7fffffff / by);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_pattern),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_division),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
