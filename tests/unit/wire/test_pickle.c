/* Pickles as data: what a state dict needs is understood, all else refused by name. */
#include "test.h"

#include "wire/pickle.h"

static const char *const globals[] = { "collections OrderedDict", "torch *Storage", NULL };

static struct pickle pickle;

static i3d_status read_text(const char *text, size_t count, const struct pickle_value **out)
{
    struct bytes file = { (const uint8_t *)text, count };
    return pickle_read(&file, globals, &pickle, out);
}

#define READ(text, out) read_text(text, sizeof text - 1, out)

static void numbers_and_texts_are_read(void **state)
{
    (void)state;
    const struct pickle_value *value;
    /* (1, -2, 70000, 2 ** 40 - 1, -1 as a long, 1.5, True, None, "ab") */
    assert_ok(READ("\x80\x02(K\1J\xfe\xff\xff\xffJ\x70\x11\1\0\x8a\5\xff\xff\xff\xff\xff"
                   "\x8a\6\xff\xff\xff\xff\xff\0G\x3f\xf8\0\0\0\0\0\0\x88NX\2\0\0\0abt.",
                   &value));
    assert_int_equal(value->kind, PICKLE_TUPLE);
    assert_int_equal(value->count, 9);
    assert_int_equal(value->items[0]->integer, 1);
    assert_int_equal(value->items[1]->integer, -2);
    assert_int_equal(value->items[2]->integer, 70000);
    assert_int_equal(value->items[3]->integer, -1);
    assert_int_equal(value->items[4]->integer, ((int64_t)1 << 40) - 1);
    assert_float_equal((float)value->items[5]->real, 1.5f, 0);
    assert_int_equal(value->items[6]->kind, PICKLE_BOOL);
    assert_int_equal(value->items[7]->kind, PICKLE_NONE);
    assert_true(bytes_equal(value->items[8]->text, "ab"));
    pickle_clear(&pickle);
}

static void an_ordered_dict_is_a_dict(void **state)
{
    (void)state;
    const struct pickle_value *value;
    /* Python 3: OrderedDict(), then its items. */
    assert_ok(READ("\x80\x02"
                   "ccollections\nOrderedDict\n)RX\1\0\0\0aK\7s.",
                   &value));
    assert_int_equal(value->kind, PICKLE_DICT);
    assert_int_equal(value->count, 2);
    assert_int_equal(value->items[1]->integer, 7);
    pickle_clear(&pickle);
    /* Python 2: OrderedDict([["a", 7]]). */
    assert_ok(READ("\x80\x02"
                   "ccollections\nOrderedDict\n]](U\1aK\7ea\x85R.",
                   &value));
    assert_int_equal(value->kind, PICKLE_DICT);
    assert_int_equal(value->count, 2);
    assert_int_equal(value->items[1]->integer, 7);
    pickle_clear(&pickle);
}

static void what_was_put_in_the_memo_is_found(void **state)
{
    (void)state;
    const struct pickle_value *value;
    assert_ok(READ("\x80\x04K\5\x94K\6\x94h\1h\0\x86.", &value));
    assert_int_equal(value->items[0]->integer, 6);
    assert_int_equal(value->items[1]->integer, 5);
    pickle_clear(&pickle);
    assert_fails(READ("\x80\2K\5j\xff\xff\xff\x7f.", &value), I3D_EFORMAT, "cut off or damaged");
    assert_fails(READ("\x80\2K\5r\xff\xff\xff\x7f.", &value), I3D_EFORMAT, "cut off or damaged");
}

static void globals_that_are_not_allowed_are_named(void **state)
{
    (void)state;
    const struct pickle_value *value;
    assert_ok(READ("\x80\x02"
                   "ctorch\nFloatStorage\n.",
                   &value));
    assert_true(pickle_is_global(value, "torch", "FloatStorage"));
    pickle_clear(&pickle);
    assert_fails(READ("\x80\x02"
                      "cos\nsystem\n(X\2\0\0\0lstR.",
                      &value),
                 I3D_EFORMAT, "wants 'os.system'");
    assert_fails(READ("\x80\x04\x8c\2os\x8c\6system\x93.", &value), I3D_EFORMAT,
                 "wants 'os.system'");
    assert_fails(READ("\x80\x02"
                      "cos\nFloatStorage\n.",
                      &value),
                 I3D_EFORMAT, "wants 'os.FloatStorage'");
}

static void other_opcodes_are_named(void **state)
{
    (void)state;
    const struct pickle_value *value;
    assert_fails(READ("(ios\nsystem\n.", &value), I3D_EFORMAT, "the opcode INST");
    assert_fails(READ("\x80\2)\x81.", &value), I3D_EFORMAT, "the opcode NEWOBJ,");
    assert_fails(READ("\x80\2\xff.", &value), I3D_EFORMAT, "unknown opcode 0xff");
}

static void the_stack_is_never_left(void **state)
{
    (void)state;
    static const char *const pickles[] = { ".",  "t.", "0.",     "a.",  "}s.",   "}K\1u.", "(.",
                                           "R.", "Q.", "]K\1e.", "(a.", "]((e.", "}(K\1u." };
    const struct pickle_value *value;
    for (size_t i = 0; i < sizeof pickles / sizeof pickles[0]; i++)
        assert_fails(read_text(pickles[i], strlen(pickles[i]), &value), I3D_EFORMAT,
                     "cut off or damaged");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_texts_are_read),
        cmocka_unit_test(an_ordered_dict_is_a_dict),
        cmocka_unit_test(what_was_put_in_the_memo_is_found),
        cmocka_unit_test(globals_that_are_not_allowed_are_named),
        cmocka_unit_test(other_opcodes_are_named),
        cmocka_unit_test(the_stack_is_never_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
