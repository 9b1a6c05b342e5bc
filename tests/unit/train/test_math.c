/* The parts of training that are formulas: loss, schedules, which parameters. */
#include "test.h"

#include "base/memory.h"
#include "train/loss.h"
#include "train/schedule.h"

#include <math.h>

static void the_loss_is_cross_entropy(void **state)
{
    (void)state;
    /* Equal logits: log(classes). A sure and right answer: nearly 0. Huge logits: no overflow. */
    const float logits[3][4] = { { 2, 2, 2, 2 }, { 0, 50, 0, 0 }, { 1e30f, 0, 0, -1e30f } };
    const int32_t labels[3] = { 1, 1, 0 };
    float gradient[3][4];
    double loss = loss_cross_entropy(logits[0], labels, 1, 4, gradient[0]);
    assert_true(fabs(loss - log(4)) < 1e-12);
    loss = loss_cross_entropy(logits[0], labels, 3, 4, gradient[0]);
    assert_true(fabs(loss - log(4)) < 1e-9);
    for (int n = 0; n < 3; n++) {
        float sum = 0;
        for (int c = 0; c < 4; c++)
            sum += gradient[n][c];
        assert_true(fabsf(sum) < 1e-6f);
    }
    assert_true(fabs(gradient[0][1] - (.25 - 1)) < 1e-6);
}

static void the_loss_has_its_gradient(void **state)
{
    (void)state;
    float logits[2][3] = { { .3f, -1.2f, .7f }, { 2, .1f, -.4f } }, gradient[6], ignored[6];
    const int32_t labels[2] = { 2, 1 };
    loss_cross_entropy(logits[0], labels, 2, 3, gradient);
    for (int i = 0; i < 6; i++) {
        float *x = &logits[i / 3][i % 3], kept = *x, h = 1e-2f;
        *x = kept + h;
        double up = loss_cross_entropy(logits[0], labels, 2, 3, ignored);
        *x = kept - h;
        double down = loss_cross_entropy(logits[0], labels, 2, 3, ignored);
        *x = kept;
        assert_true(fabs((up - down) / (2 * h) - gradient[i]) < 1e-4);
    }
}

/* The rate in the middle of each epoch that begins with a change. */
static void check_trace(struct schedule schedule, const double *rates, size_t count)
{
    const long steps = 7;
    long every = schedule.every;
    schedule.every *= steps;
    assert_true(schedule_rate(&schedule, 0) == schedule.lr);
    assert_true(schedule_rate(&schedule, every * steps - 1) == schedule.lr);
    for (size_t i = 0; i < count; i++) {
        double rate = schedule_rate(&schedule, (long)(i + 1) * every * steps);
        assert_true(fabs(rate / rates[i] - 1) < 1e-12);
        assert_true(schedule_rate(&schedule, (long)(i + 2) * every * steps - 1) == rate);
    }
}

/* Traces of the original's learning_rate_function, taken from its description: flow from .01 every
 * 5 epochs and from .001 every 4, rgb likewise. */
static void the_steps_schedule_is_the_originals(void **state)
{
    (void)state;
    const double flow5[] = { .005,       .0025,  .00125,  6.25e-4, 3.125e-4, 1.5625e-4, 7.8125e-5,
                             3.90625e-5, 2.5e-4, 1.25e-4, 6.25e-5, 3.125e-5, 3.125e-5,  3.125e-5 };
    const double flow4[] = { 5e-4,   2.5e-4,  1.25e-4, 6.25e-5,  3.125e-5,
                             2.5e-4, 1.25e-4, 6.25e-5, 3.125e-5, 3.125e-5 };
    const double rgb5[] = {
        .005, .0025, .00125, 6.25e-4, 3.125e-4, 1.5625e-4, 7.8125e-5, 3.90625e-5
    };
    const double rgb4[] = { 5e-4,      2.5e-4,    1.25e-4,   6.25e-5,  3.125e-5,
                            1.5625e-5, 7.8125e-6, 7.8125e-6, 7.8125e-6 };
    const double once[] = { 5e-4, 2.5e-4, 1.25e-4, 6.25e-5, 3.125e-5, 3.125e-5, 3.125e-5 };
    struct schedule flow = { .stream = I3D_FLOW, .lr = .01, .rate = .5, .every = 5 };
    struct schedule rgb = { .stream = I3D_RGB, .lr = .01, .rate = .5, .every = 5 };
    check_trace(flow, flow5, sizeof flow5 / sizeof *flow5);
    check_trace(rgb, rgb5, sizeof rgb5 / sizeof *rgb5);
    flow.lr = rgb.lr = .001;
    flow.every = rgb.every = 4;
    check_trace(flow, flow4, sizeof flow4 / sizeof *flow4);
    check_trace(rgb, rgb4, sizeof rgb4 / sizeof *rgb4);
    flow.no_raise = true;
    check_trace(flow, once, sizeof once / sizeof *once);
}

static void the_cosine_falls_from_the_rate_to_zero(void **state)
{
    (void)state;
    struct schedule schedule = { .kind = I3D_SCHEDULE_COSINE, .lr = .1, .total = 100 };
    assert_true(schedule_rate(&schedule, 0) == .1);
    assert_true(fabs(schedule_rate(&schedule, 50) - .05) < 1e-12);
    assert_true(fabs(schedule_rate(&schedule, 100)) < 1e-12);
    schedule.kind = I3D_SCHEDULE_CONSTANT;
    assert_true(schedule_rate(&schedule, 99) == .1);
}

/* The counts of the original: 'logits,Mixed_5' of 51 classes has 4,811,283 parameters. */
static void prefixes_select_parameters(void **state)
{
    (void)state;
    i3d_model *model;
    i3d_model_options options = { .channels = 3, .classes = 51, .bn_epsilon = 1e-3 };
    assert_ok(i3d_model_create(&options, &model));
    size_t params = i3d_model_param_count(model), some = 0, all = 0;
    bool *trained;
    assert_ok(memory_get(params, sizeof *trained, &trained));
    assert_ok(i3d_train_select(model, "logits,Mixed_5", trained));
    for (size_t p = 0; p < params; p++)
        some += trained[p] ? i3d_model_param(model, p)->count : 0;
    assert_int_equal(some, 4811283);
    size_t branch = 0;
    assert_ok(i3d_train_select(model, "Mixed_5c.Mixed_5c_b1b,Mixed_5c.Mixed_5c_b0.g", trained));
    for (size_t p = 0; p < params; p++)
        branch += trained[p];
    assert_int_equal(branch, 3 + 1);
    assert_fails(i3d_train_select(model, "Mixed_5c.Mixed_5b_b0", trained), I3D_EINVAL,
                 "Mixed_5b_b0");
    assert_ok(i3d_train_select(model, "", trained));
    for (size_t p = 0; p < params; p++)
        all += trained[p] ? i3d_model_param(model, p)->count : 0;
    assert_int_equal(all, 12339539);
    assert_fails(i3d_train_select(model, "logits,Mixed_6", trained), I3D_EINVAL, "Mixed_6");
    assert_non_null(strstr(i3d_error(), "Mixed_5c, logits"));
    assert_fails(i3d_train_select(model, "logits,,Mixed_5", trained), I3D_EINVAL, "''");
    memory_free(trained);
    i3d_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loss_is_cross_entropy),
        cmocka_unit_test(the_loss_has_its_gradient),
        cmocka_unit_test(the_steps_schedule_is_the_originals),
        cmocka_unit_test(the_cosine_falls_from_the_rate_to_zero),
        cmocka_unit_test(prefixes_select_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
