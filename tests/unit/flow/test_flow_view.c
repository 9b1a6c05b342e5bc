/* The colours of motions. */
#include "test.h"

#include "flow/flow_view.h"

static void assert_colour(double u, double v, int red, int green, int blue)
{
    uint8_t rgb[3];
    flow_colour(u, v, 20, rgb);
    if (abs(rgb[0] - red) > 1 || abs(rgb[1] - green) > 1 || abs(rgb[2] - blue) > 1)
        fail_msg("(%g, %g) is %d %d %d, not %d %d %d", u, v, rgb[0], rgb[1], rgb[2], red, green,
                 blue);
}

static void rest_is_white(void **state)
{
    (void)state;
    assert_colour(0, 0, 255, 255, 255);
}

/* What Middlebury's table of 55 colours gives: right is red, left cyan to blue. */
static void directions_have_middleburys_hues(void **state)
{
    (void)state;
    assert_colour(20, 0, 255, 0, 0);
    assert_colour(10, 0, 255, 127, 127);
    assert_colour(-20, 0, 0, 209, 255);
    assert_colour(0, 20, 255, 229, 0);
    assert_colour(0, -20, 88, 0, 255);
}

static void what_is_longer_than_the_bound_is_dark(void **state)
{
    (void)state;
    assert_colour(60, 0, 191, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rest_is_white),
        cmocka_unit_test(directions_have_middleburys_hues),
        cmocka_unit_test(what_is_longer_than_the_bound_is_dark),
    };
    return cmocka_run_group_tests_name("flow_view", tests, NULL, NULL);
}
