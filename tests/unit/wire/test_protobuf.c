/* Fields of a protobuf message, well formed and not. */
#include "test.h"

#include "wire/protobuf.h"

static struct bytes text(const char *data, size_t count)
{
    return (struct bytes){ (const uint8_t *)data, count };
}

static void fields_written_are_read_again(void **state)
{
    (void)state;
    struct buffer buffer = { 0 };
    struct protobuf_field field;
    assert_ok(protobuf_put_number(&buffer, 1, UINT64_MAX));
    assert_ok(protobuf_put_bytes(&buffer, 2000, "abc", 3));
    struct bytes message = { buffer.data, buffer.count };
    assert_ok(protobuf_next(&message, &field));
    assert_int_equal(field.number, 1);
    assert_true(field.value == UINT64_MAX);
    assert_ok(protobuf_next(&message, &field));
    assert_int_equal(field.number, 2000);
    assert_true(bytes_equal(field.bytes, "abc"));
    assert_int_equal(protobuf_next(&message, &field), I3D_END);
    buffer_clear(&buffer);
}

static void packed_and_single_numbers_read_alike(void **state)
{
    (void)state;
    struct protobuf_field field;
    uint64_t number;
    struct bytes packed = text("\x0a\x03\x01\xac\x02", 5), single = text("\x08\x07", 2);
    assert_ok(protobuf_next(&packed, &field));
    assert_true(protobuf_number(&field, &number));
    assert_int_equal(number, 1);
    assert_true(protobuf_number(&field, &number));
    assert_int_equal(number, 300);
    assert_false(protobuf_number(&field, &number));
    assert_ok(protobuf_next(&single, &field));
    assert_true(protobuf_number(&field, &number));
    assert_int_equal(number, 7);
    assert_false(protobuf_number(&field, &number));
}

static void damaged_fields_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        size_t count;
    } messages[] = {
        { "\x80", 1 },                                          /* a key that goes on */
        { "\x08", 1 },                                          /* no value */
        { "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11 }, /* more than 64 bits */
        { "\x0a\x05"
          "abc",
          5 },                                                  /* longer than the message */
        { "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11 }, /* 2^64 - 1 bytes */
        { "\x0b", 1 },                                          /* a group */
        { "\x0d\x01\x02", 3 },                                  /* half of four bytes */
        { "\x00\x01", 2 },                                      /* field 0 */
    };
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        struct protobuf_field field;
        struct bytes message = text(messages[i].data, messages[i].count);
        assert_fails(protobuf_next(&message, &field), I3D_EFORMAT, "protobuf field");
    }
}

static void bytes_that_are_not_there_are_empty(void **state)
{
    (void)state;
    const struct bytes none = { 0 };
    assert_true(bytes_equal(none, ""));
    assert_true(bytes_begin(none, ""));
    assert_true(bytes_same(none, bytes_of("")));
    assert_false(bytes_equal(none, "a"));
    assert_false(bytes_begin(bytes_of("a"), "ab"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_written_are_read_again),
        cmocka_unit_test(packed_and_single_numbers_read_alike),
        cmocka_unit_test(bytes_that_are_not_there_are_empty),
        cmocka_unit_test(damaged_fields_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
