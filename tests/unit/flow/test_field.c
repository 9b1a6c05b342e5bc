/* .flo files: what is written is read; what is not one is refused. */
#include "test.h"

#include "base/file.h"
#include "base/memory.h"

#include <i3d/flow.h>

#include <math.h>

static char path[128];

static int enter_folder(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "%s/a.flo", test_folder());
    return 0;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    float u[6] = { 0, 1, -2.5f, 1e10f, 1e-30f, 7 }, v[6] = { 5, 4, 3, 2, 1, -0.0f };
    i3d_field field = { 3, 2, u, v }, again;
    assert_ok(i3d_field_write(path, &field));
    assert_ok(i3d_field_read(path, &again));
    assert_int_equal(again.width, 3);
    assert_int_equal(again.height, 2);
    assert_memory_equal(again.u, u, sizeof u);
    assert_memory_equal(again.v, v, sizeof v);
    i3d_field_clear(&again);
}

static void the_bytes_are_middleburys(void **state)
{
    (void)state;
    float u[1] = { 1 }, v[1] = { -2 };
    static const uint8_t expected[] = { 'P', 'I', 'E', 'H', 1,    0,    0, 0, 1, 0,
                                        0,   0,   0,   0,   0x80, 0x3f, 0, 0, 0, 0xc0 };
    uint8_t *data;
    size_t bytes;
    assert_ok(i3d_field_write(path, &(i3d_field){ 1, 1, u, v }));
    assert_ok(file_read(path, &data, &bytes));
    assert_int_equal(bytes, sizeof expected);
    assert_memory_equal(data, expected, sizeof expected);
    memory_free(data);
}

static void assert_refused(const void *data, size_t bytes, const char *words)
{
    i3d_field field;
    assert_ok(file_write(path, data, bytes));
    assert_fails(i3d_field_read(path, &field), I3D_EFORMAT, words);
    assert_null(field.u);
    assert_null(field.v);
}

static void what_is_not_a_flo_file_is_refused(void **state)
{
    (void)state;
    assert_refused("", 0, "PIEH");
    assert_refused("PIEH\1\0\0\0", 8, "PIEH");
    assert_refused("PIEG\1\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0", 20, "PIEH");
    assert_refused("PIEH\1\0\0\0\1\0\0\0\0\0\0\0\0\0\0", 19, "has 19 bytes");
    assert_refused("PIEH\1\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0", 21, "has 21 bytes");
    assert_refused("PIEH\0\0\0\0\1\0\0\0", 12, "0 x 1");
    assert_refused("PIEH\377\377\377\377\1\0\0\0", 12, "4294967295 x 1");
    assert_refused("PIEH\0\100\0\0\0\100\0\0", 12, "has 12 bytes");
    i3d_field field;
    assert_fails(i3d_field_read("/no/such.flo", &field), I3D_EIO, "/no/such.flo");
}

static void the_error_is_the_mean_distance_of_what_is_known(void **state)
{
    (void)state;
    float u[3] = { 0, 3, 0 }, v[3] = { 0, 4, 0 }, zero[3] = { 0 }, gaps[3] = { 0, 0, 1.1e9f };
    double error;
    i3d_field a = { 3, 1, u, v }, b = { 3, 1, zero, zero }, c = { 3, 1, gaps, zero };
    assert_ok(i3d_field_error(&a, &b, &error));
    assert_float_equal(error, 5.0 / 3, 1e-12);
    assert_ok(i3d_field_error(&a, &c, &error));
    assert_float_equal(error, 2.5, 1e-12);
    c.width = c.height = 1;
    assert_fails(i3d_field_error(&a, &c, &error), I3D_EINVAL, "3 x 1");
    gaps[0] = NAN;
    assert_fails(i3d_field_error(&c, &c, &error), I3D_EINVAL, "no pixel");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(the_bytes_are_middleburys),
        cmocka_unit_test(what_is_not_a_flo_file_is_refused),
        cmocka_unit_test(the_error_is_the_mean_distance_of_what_is_known),
    };
    return cmocka_run_group_tests_name("field", tests, enter_folder, NULL);
}
