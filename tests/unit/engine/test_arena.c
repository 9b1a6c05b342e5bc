/* The arena of an engine: what is needed together does not share memory. */
#include "test.h"

#include "base/memory.h"
#include "base/random.h"
#include "engine/arena.h"

static void spans_needed_together_lie_apart(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct arena arena = { 0 };
        struct random random = random_for(seed, RANDOM_TRIAL, 0, 0);
        for (int i = 0; i < 40; i++) {
            int begin = (int)random_below(&random, 30), number;
            int end = begin + (int)random_below(&random, 10);
            assert_ok(arena_add(&arena, 1 + random_below(&random, 1 << 20), begin, end, &number));
            assert_int_equal(number, i);
        }
        assert_ok(arena_place(&arena));
        for (size_t i = 0; i < arena.count; i++)
            for (size_t j = 0; j < i; j++) {
                const struct span *a = &arena.spans[i], *b = &arena.spans[j];
                assert_true(a->end < b->begin || b->end < a->begin ||
                            a->offset + a->bytes <= b->offset || b->offset + b->bytes <= a->offset);
            }
        arena_clear(&arena);
    }
}

/* A chain, each needed with the next only: two of the largest are all it takes. */
static void a_chain_takes_two_places(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    int number;
    for (int i = 0; i < 20; i++)
        assert_ok(arena_add(&arena, 1 << 20, i, i + 1, &number));
    assert_ok(arena_place(&arena));
    assert_ok(arena_take(&arena));
    assert_int_equal(arena.bytes, 2 << 20);
    memset(arena_at(&arena, 7), 1, 1 << 20);
    memset(arena_at(&arena, 8), 2, 1 << 20);
    assert_int_equal(*(char *)arena_at(&arena, 7), 1);
    arena_clear(&arena);
}

static void nothing_takes_no_place(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    int number;
    assert_ok(arena_add(&arena, 0, 0, 1, &number));
    assert_int_equal(number, -1);
    assert_ok(arena_place(&arena));
    assert_null(arena_at(&arena, number));
    arena_clear(&arena);
}

static void survives_a_lack_of_memory(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    int number;
    memory_fail_at(1);
    assert_int_equal(arena_add(&arena, 1, 0, 1, &number), I3D_ENOMEM);
    memory_fail_at(0);
    assert_ok(arena_add(&arena, 1, 0, 1, &number));
    memory_fail_at(1);
    assert_int_equal(arena_place(&arena), I3D_ENOMEM);
    memory_fail_at(0);
    assert_ok(arena_place(&arena));
    memory_fail_at(1);
    assert_int_equal(arena_take(&arena), I3D_ENOMEM);
    memory_fail_at(0);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_needed_together_lie_apart),
        cmocka_unit_test(a_chain_takes_two_places),
        cmocka_unit_test(nothing_takes_no_place),
        cmocka_unit_test(survives_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
