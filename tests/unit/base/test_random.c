#include "test.h"

#include "base/failure.h"
#include "base/random.h"
#include "base/talk.h"
#include "base/thread.h"

#include <math.h>

static void numbers_depend_on_the_key_alone(void **state)
{
    (void)state;
    struct random a = random_for(1, RANDOM_CLIP, 2, 3), b = random_for(1, RANDOM_CLIP, 2, 3);
    struct random c = random_for(1, RANDOM_CLIP, 3, 2);
    assert_true(random_bits(&a) == random_bits(&b));
    assert_true(random_bits(&a) != random_bits(&c));
    double sum = 0, squares = 0;
    for (int i = 0; i < 20000; i++) {
        double x = random_normal(&a);
        sum += x;
        squares += x * x;
    }
    assert_true(fabs(sum / 20000) < .03);
    assert_true(fabs(squares / 20000 - 1) < .05);
    int seen[7] = { 0 };
    for (int i = 0; i < 7000; i++)
        seen[random_below(&b, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 850, 1150);
    size_t order[50], times[50] = { 0 };
    for (size_t i = 0; i < 50; i++)
        order[i] = i;
    random_shuffle(&b, order, 50);
    for (size_t i = 0; i < 50; i++)
        times[order[i]]++;
    for (size_t i = 0; i < 50; i++)
        assert_int_equal(times[i], 1);
}

static i3d_status square(size_t index, int worker, void *context)
{
    (void)worker;
    int *squares = context;
    if (index == 70)
        return failure(I3D_EFORMAT, "item 70 is bad");
    squares[index] = (int)(index * index);
    return I3D_OK;
}

static void parallel_loops_do_every_item(void **state)
{
    (void)state;
    int squares[100] = { 0 };
    assert_ok(thread_run(60, 4, square, squares));
    for (int i = 0; i < 60; i++)
        assert_int_equal(squares[i], i * i);
    assert_fails(thread_run(100, 3, square, squares), I3D_EFORMAT, "item 70");
    assert_ok(thread_run(0, 0, square, squares));
}

static void an_interrupt_is_seen(void **state)
{
    (void)state;
    assert_ok(check_interrupt());
    i3d_interrupt();
    assert_true(interrupted());
    assert_fails(check_interrupt(), I3D_EINTERRUPTED, "again");
    interrupt_clear();
    assert_ok(check_interrupt());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_depend_on_the_key_alone),
        cmocka_unit_test(parallel_loops_do_every_item),
        cmocka_unit_test(an_interrupt_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
