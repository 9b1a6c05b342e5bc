/* The optimizer's twin against engine/optimizer.c, and what is said of a step. */
#include "field.h"

enum { FLOATS = 30000, NORMS = 2, CHANNELS = 20 };

/* Parameters 1, 2, 4 of a model are trained, 2 by a piece and a little; parameters 5 to 8 are the
 * running statistics. */
struct trial {
    struct segment params[3], norms[NORMS], running[2 * NORMS];
    float *data, *gradients, *statistics, *moments[2];
    double *workspace;
    struct step_input input;
    struct step_result result;
    struct loss_scale scale;
    struct check_args check;
    struct step_args step;
};

static void make_trial(i3d_optimizer optimizer, struct trial *out)
{
    *out = (struct trial){
        .params = { { .at = 3, .count = 9000, .other = 0, .param = 1, .decayed = true },
                    { .at = 9100, .count = 4097, .other = 9000, .param = 2 },
                    { .at = 20000, .count = 7, .other = 13097, .param = 4, .decayed = true } },
        .norms = { { .at = 0, .count = 2 * CHANNELS, .param = 6 },
                   { .at = 2 * CHANNELS, .count = 2 * CHANNELS, .param = 8 } },
        .scale = { .scale = 0x1p24f, .unscale = 0x1p-24f },
    };
    for (int i = 0; i < 2 * NORMS; i++)
        out->running[i] = (struct segment){ .at = (size_t)(25000 + 100 * i),
                                            .count = CHANNELS,
                                            .other = (size_t)(i * CHANNELS),
                                            .param = 5 + i };
    out->data = field_floats(FLOATS);
    out->gradients = field_floats(FLOATS);
    out->statistics = field_floats(2 * NORMS * CHANNELS);
    for (int m = 0; m < 2; m++)
        out->moments[m] = field_floats(FLOATS);
    out->workspace = field_memory(100 * sizeof(double));
    field_draw_floats(1, -1, 1, out->data, FLOATS);
    field_draw_floats(2, -1, 1, out->gradients, FLOATS);
    field_draw_floats(3, .5, 1, out->statistics, 2 * NORMS * CHANNELS);
    struct segments params = { out->params, 3, segments_place(out->params, 3) };
    assert_int_equal(params.blocks, 3 + 2 + 1);
    struct segments norms = { out->norms, NORMS, segments_place(out->norms, NORMS) };
    struct segments running = { out->running, 2 * NORMS, segments_place(out->running, 2 * NORMS) };
    out->check = (struct check_args){ .gradients = out->gradients,
                                      .statistics = out->statistics,
                                      .params = params,
                                      .norms = norms,
                                      .input = &out->input,
                                      .workspace = out->workspace,
                                      .scale = &out->scale,
                                      .out = &out->result };
    out->step = (struct step_args){ .optimizer = optimizer,
                                    .params = params,
                                    .running = running,
                                    .params_data = out->data,
                                    .gradients = out->gradients,
                                    .statistics = out->statistics,
                                    .moments = { out->moments[0],
                                                 optimizer == I3D_ADAM ? out->moments[1] : NULL },
                                    .input = &out->input,
                                    .result = &out->result };
}

static void free_trial(struct trial *trial)
{
    memory_free(trial->data);
    memory_free(trial->gradients);
    memory_free(trial->statistics);
    memory_free(trial->moments[0]);
    memory_free(trial->moments[1]);
    memory_free(trial->workspace);
}

static void run_step(struct trial *trial, const struct optimizer *optimizer, long step, double lr)
{
    trial->input = (struct step_input){ .step = step,
                                        .factors = optimizer_factors(optimizer, step, lr),
                                        .clips = 3,
                                        .bn_momentum = .1f,
                                        .loss = 1.5 };
    kernel_check(NULL, &trial->check);
    kernel_step(NULL, &trial->step);
}

/* The same step by the engine's own optimizer. */
static void expect_step(struct trial *trial, const struct optimizer *optimizer, long step,
                        double lr, float *data, float *const moments[2])
{
    for (int s = 0; s < 3; s++) {
        const struct segment *segment = &trial->params[s];
        float *own[2] = { moments[0] + segment->other, moments[1] + segment->other };
        optimizer_step(optimizer, step, lr, segment->decayed, 3, trial->gradients + segment->at,
                       segment->count, own, data + segment->at);
    }
    for (int s = 0; s < 2 * NORMS; s++) {
        const struct segment *segment = &trial->running[s];
        float momentum = .1f;
        for (size_t i = 0; i < segment->count; i++)
            data[segment->at + i] = (1 - momentum) * data[segment->at + i] +
                                    momentum * trial->statistics[segment->other + i];
    }
}

static void check_optimizer(const struct optimizer *optimizer)
{
    struct trial trial;
    float *data = field_floats(FLOATS);
    float *moments[2] = { field_floats(FLOATS), field_floats(FLOATS) };
    make_trial(optimizer->kind, &trial);
    memcpy(data, trial.data, FLOATS * sizeof *data);
    for (int step = 0; step < 5; step++) {
        double lr = .01 * (step + 1), squares = 0;
        field_draw_floats((uint64_t)(10 + step), -1, 1, trial.gradients, FLOATS);
        run_step(&trial, optimizer, step, lr);
        expect_step(&trial, optimizer, step, lr, data, moments);
        assert_memory_equal(data, trial.data, FLOATS * sizeof *data);
        assert_memory_equal(moments[0], trial.moments[0], FLOATS * sizeof *data);
        assert_memory_equal(moments[1], trial.moments[1], FLOATS * sizeof *data);
        for (int s = 0; s < 3; s++)
            for (size_t i = 0; i < trial.params[s].count; i++)
                squares += pow((double)trial.gradients[trial.params[s].at + i], 2);
        assert_true(fabs(trial.result.gradient_norm - sqrt(squares) / 3) < 1e-12);
        assert_int_equal(trial.result.step, step);
        assert_int_equal(trial.result.param, -1);
        assert_false(trial.result.skipped);
        assert_true(trial.result.loss == 1.5);
    }
    free_trial(&trial);
    memory_free(data);
    memory_free(moments[0]);
    memory_free(moments[1]);
}

static void test_rules(void **state)
{
    (void)state;
    const struct optimizer optimizers[] = {
        { I3D_SGD, .9, 1e-2, false }, { I3D_ADAM, 0, 1e-2, false },   { I3D_ADAM, 0, 0, true },
        { I3D_RMSPROP, 0, 0, false }, { I3D_RMSPROP, 0, 1e-2, true },
    };
    for (size_t i = 0; i < sizeof optimizers / sizeof *optimizers; i++)
        check_optimizer(&optimizers[i]);
}

/* A step with one number that is not finite changes nothing, and says whose it is. */
static void check_skipped(size_t number, float bad, int param, double loss)
{
    struct optimizer sgd = { I3D_SGD, .9, 0, false };
    struct trial trial;
    make_trial(I3D_SGD, &trial);
    float *data = field_floats(FLOATS), *at = NULL;
    memcpy(data, trial.data, FLOATS * sizeof *data);
    if (param >= 5)
        at = trial.statistics + number;
    else if (param >= 0)
        at = trial.gradients + number;
    if (at)
        *at = bad;
    trial.check.loss = &loss;
    run_step(&trial, &sgd, 4, .1);
    assert_true(trial.result.skipped);
    assert_int_equal(trial.result.param, param);
    assert_int_equal(trial.result.step, 4);
    assert_memory_equal(data, trial.data, FLOATS * sizeof *data);
    assert_true(trial.scale.scale == 0x1p23f && trial.scale.unscale == 0x1p-23f);
    free_trial(&trial);
    memory_free(data);
}

static void test_skipped(void **state)
{
    (void)state;
    check_skipped(3, NAN, 1, 1);
    check_skipped(9002, INFINITY, 1, 1);
    check_skipped(9100 + 4096, -INFINITY, 2, 1);
    check_skipped(20006, NAN, 4, 1);
    check_skipped(39, INFINITY, 6, 1);
    check_skipped(40, NAN, 8, 1);
    check_skipped(0, 0, -1, (double)NAN);
    check_skipped(0, 0, -1, (double)INFINITY);
}

/* A gradient that is not trained, and large ones, do not matter. */
static void test_large(void **state)
{
    (void)state;
    struct optimizer sgd = { I3D_SGD, .9, 0, false };
    struct trial trial;
    make_trial(I3D_SGD, &trial);
    trial.gradients[9050] = NAN;
    trial.gradients[100] = 1e30f;
    run_step(&trial, &sgd, 0, .1);
    assert_false(trial.result.skipped);
    assert_true(fabs(trial.result.gradient_norm - 1e30 / 3) < 1e24);
    free_trial(&trial);
}

static void test_loss_scale(void **state)
{
    (void)state;
    struct optimizer sgd = { I3D_SGD, .9, 0, false };
    struct trial trial;
    make_trial(I3D_SGD, &trial);
    trial.check.norms.blocks = trial.check.params.blocks = 0;
    trial.step.params.blocks = trial.step.running.blocks = 0;
    for (int step = 0; step < 1999; step++)
        run_step(&trial, &sgd, step, .1);
    assert_true(trial.scale.scale == 0x1p24f && trial.scale.good == 1999);
    run_step(&trial, &sgd, 1999, .1);
    assert_true(trial.scale.scale == 0x1p25f && trial.scale.unscale == 0x1p-25f);
    assert_int_equal(trial.scale.good, 0);
    double loss = (double)NAN;
    trial.check.loss = &loss;
    for (int step = 0; step < 30; step++)
        run_step(&trial, &sgd, step, .1);
    assert_true(trial.scale.scale == 1 && trial.scale.unscale == 1);
    free_trial(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_skipped),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_loss_scale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
