/* The norm's twins against the reference engine's norm. */
#include "field.h"

#include "engine/reference/norm.h"

struct shape {
    int count, channels;
    size_t map;
    double mean; /* of the input, whose deviation is about .6 */
};
static const struct shape shapes[] = {
    { 2, 64, 500, 0 }, { 1, 24, 33, 3 },    { 3, 19, 301, -2 }, { 1, 1, 1, 0 },
    { 2, 300, 7, 1 },  { 1, 8, 40000, 50 }, { 5, 257, 3, 0 },
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* One norm on both engines. */
struct trial {
    struct shape shape;
    enum element type;
    struct norm norm;
    float *x, *g, *gamma, *beta, *running_mean, *running_variance; /* gamma NULL: a bias */
    float *y, *dx, *dgamma, *dbeta;                                /* expected */
    struct field in, out, out_gradient, in_gradient;
    struct norm_factors factors;
    void *workspace;
    float *got;
};

static float *draw(uint64_t seed, double low, double high, int channels)
{
    float *floats = field_floats((size_t)channels);
    field_draw_floats(seed, low, high, floats, (size_t)channels);
    return floats;
}

static void draw_trial(struct shape shape, enum element type, struct lie lie, bool norm,
                       bool frozen, bool relu, struct trial *out)
{
    int c = shape.channels;
    size_t floats = (size_t)shape.count * (size_t)c * shape.map;
    *out = (struct trial){ .shape = shape, .type = type };
    out->x = field_floats(floats);
    out->g = field_floats(floats);
    out->y = field_floats(floats);
    out->dx = field_floats(floats);
    out->got = field_floats(floats);
    out->gamma = norm ? draw(3, .5, 1.5, c) : NULL;
    out->beta = draw(4, -.3, .3, c);
    out->running_mean = draw(5, -.3, .3, c);
    out->running_variance = draw(6, .5, 1.5, c);
    out->dgamma = field_floats((size_t)c);
    out->dbeta = field_floats((size_t)c);
    out->in =
        field_draw(type, shape.count, shape.map, c, lie, 1, shape.mean - 1, shape.mean + 1, out->x);
    out->out_gradient =
        field_draw(type, shape.count, shape.map, c, field_lies[2], 2, -1, 1, out->g);
    out->out = field_create(type, shape.count, shape.map, c, lie);
    out->in_gradient = field_create(type, shape.count, shape.map, c, lie);
    out->workspace = field_memory(norm_workspace(out->in.view.positions, c));
    out->factors = (struct norm_factors){ field_floats((size_t)c), field_floats((size_t)c),
                                          field_floats((size_t)c), field_floats((size_t)c) };
    static const struct state alone;
    out->norm = (struct norm){ .state = &alone,
                               .sum = field_memory((size_t)c * sizeof(double)),
                               .product = field_memory((size_t)c * sizeof(double)),
                               .count = shape.count,
                               .channels = c,
                               .epsilon = 1e-3,
                               .relu = relu,
                               .frozen = frozen || !norm,
                               .gamma = out->gamma,
                               .beta = out->beta,
                               .running_mean = out->running_mean,
                               .running_variance = out->running_variance,
                               .mean = field_memory((size_t)c * sizeof(double)),
                               .variance = field_memory((size_t)c * sizeof(double)) };
    assert_ok(team_create(1, &out->norm.team));
}

static void free_trial(struct trial *trial)
{
    float *floats[] = { trial->x,
                        trial->g,
                        trial->y,
                        trial->dx,
                        trial->got,
                        trial->gamma,
                        trial->beta,
                        trial->running_mean,
                        trial->running_variance,
                        trial->dgamma,
                        trial->dbeta,
                        trial->factors.mean,
                        trial->factors.inverse,
                        trial->factors.scale,
                        trial->factors.shift };
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++)
        memory_free(floats[i]);
    memory_free(trial->norm.mean);
    memory_free(trial->norm.variance);
    memory_free(trial->norm.sum);
    memory_free(trial->norm.product);
    memory_free(trial->workspace);
    team_free(trial->norm.team);
    field_free(&trial->in);
    field_free(&trial->out);
    field_free(&trial->out_gradient);
    field_free(&trial->in_gradient);
}

static void check_statistics(const struct trial *trial, const float *mean, const float *variance)
{
    int channels = trial->shape.channels;
    double elements = (double)trial->in.view.positions;
    for (int c = 0; c < channels; c++) {
        double expected = trial->norm.variance[c] * (elements > 1 ? elements / (elements - 1) : 1);
        assert_true(fabs(mean[c] - trial->norm.mean[c]) <= 1e-6 * fmax(1, fabs(mean[c])));
        /* Numbers far from 0 have few bits of their differences, which the type has cut already. */
        assert_true(fabs(variance[c] - expected) <= 2e-6 * fmax(expected, 1e-3));
        assert_true(trial->factors.mean[c] == mean[c]);
    }
}

static void run_forward(struct trial *trial)
{
    int channels = trial->shape.channels;
    if (trial->norm.frozen) {
        kernel_factors(NULL, &(struct factors_args){ .channels = channels,
                                                     .gamma = trial->gamma,
                                                     .beta = trial->beta,
                                                     .mean = trial->running_mean,
                                                     .variance = trial->running_variance,
                                                     .epsilon = 1e-3f,
                                                     .out = trial->factors });
    } else {
        float *mean = field_floats((size_t)channels), *variance = field_floats((size_t)channels);
        kernel_statistics(NULL, &(struct statistics_args){ .in = trial->in.view,
                                                           .workspace = trial->workspace,
                                                           .gamma = trial->gamma,
                                                           .beta = trial->beta,
                                                           .epsilon = 1e-3f,
                                                           .out = trial->factors,
                                                           .mean = mean,
                                                           .variance = variance });
        check_statistics(trial, mean, variance);
        memory_free(mean);
        memory_free(variance);
    }
    kernel_norm(NULL, &(struct norm_args){ .in = trial->in.view,
                                           .out = trial->out.view,
                                           .factors = trial->factors,
                                           .relu = trial->norm.relu });
}

static void check_trial(struct trial *trial)
{
    int channels = trial->shape.channels;
    size_t map = trial->shape.map, floats = field_count(&trial->in);
    double tolerance = field_tolerance(trial->type);
    double elements;
    float unscale = .25f;
    float *dgamma = field_floats((size_t)channels), *dbeta = field_floats((size_t)channels);
    assert_ok(norm_forward(&trial->norm, field_maps(channels, map, trial->x),
                           field_maps(channels, map, trial->y), &elements));
    assert_ok(norm_backward(&trial->norm, field_maps(channels, map, trial->x),
                            field_maps(channels, map, trial->y),
                            field_maps(channels, map, trial->g),
                            field_maps(channels, map, trial->dx), trial->dgamma, trial->dbeta));
    run_forward(trial);
    field_get(&trial->out, trial->got);
    field_compare("forward", trial->y, trial->got, floats, 2 * tolerance);
    field_check_untouched(&trial->out);

    struct norm_backward_args back = { .in = trial->in.view,
                                       .out_gradient = trial->out_gradient.view,
                                       .in_gradient = trial->in_gradient.view,
                                       .factors = trial->factors,
                                       .relu = trial->norm.relu,
                                       .frozen = trial->norm.frozen,
                                       .workspace = trial->workspace,
                                       .gamma_gradient = trial->gamma ? dgamma : NULL,
                                       .beta_gradient = dbeta,
                                       .unscale = &unscale };
    kernel_norm_backward(NULL, &back);
    field_get(&trial->in_gradient, trial->got);
    field_compare("in_gradient", trial->dx, trial->got, floats, 3 * tolerance);
    field_check_untouched(&trial->in_gradient);
    for (int c = 0; c < channels; c++) {
        dgamma[c] /= unscale;
        dbeta[c] /= unscale;
    }
    if (trial->gamma)
        field_compare("gamma_gradient", trial->dgamma, dgamma, (size_t)channels, 3e-6);
    field_compare("beta_gradient", trial->dbeta, dbeta, (size_t)channels, 2e-6);

    /* In place, and no gradients of parameters. */
    back.in_gradient = trial->in.view;
    back.gamma_gradient = back.beta_gradient = NULL;
    kernel_norm_backward(NULL, &back);
    float *again = field_floats(floats);
    field_get(&trial->in, again);
    assert_memory_equal(again, trial->got, floats * sizeof *again);
    memory_free(again);
    memory_free(dgamma);
    memory_free(dbeta);
}

/* Far from 0 an element of 16 bits has few bits left; float32 is tried there. */
static bool suits(struct shape shape, enum element type)
{
    return type == ELEMENT_F32 || fabs(shape.mean) <= 1;
}

static void try_all(bool norm, bool frozen, bool relu)
{
    for (int s = 0; s < SHAPES; s++)
        for (int type = 0; type <= ELEMENT_F16; type++)
            for (int lie = 0; lie < FIELD_LIES; lie++) {
                struct trial trial;
                if (!suits(shapes[s], (enum element)type))
                    continue;
                draw_trial(shapes[s], (enum element)type, field_lies[lie], norm, frozen, relu,
                           &trial);
                check_trial(&trial);
                free_trial(&trial);
            }
}

static void test_batch(void **state)
{
    (void)state;
    try_all(true, false, true);
    try_all(true, false, false);
}

static void test_frozen(void **state)
{
    (void)state;
    try_all(true, true, true);
}

static void test_bias(void **state)
{
    (void)state;
    try_all(false, true, true);
    try_all(false, true, false);
}

static void test_nan_goes_through(void **state)
{
    (void)state;
    float x[16], one = 1, zero = 0;
    for (int i = 0; i < 16; i++)
        x[i] = i == 5 ? NAN : -1;
    struct view view = { x, ELEMENT_F32, 1, 16, 1 };
    struct norm_factors factors = { &zero, &one, &one, &zero };
    kernel_norm(NULL,
                &(struct norm_args){ .in = view, .out = view, .factors = factors, .relu = true });
    for (int i = 0; i < 16; i++)
        assert_true(i == 5 ? isnan(x[i]) : x[i] == 0);
}

/* What weights and biases are folded with. */
static void test_fold(void **state)
{
    (void)state;
    float gamma[3] = { 1, 2, -1 }, beta[3] = { .5f, 0, 1 }, mean[3] = { 1, -2, 3 };
    float variance[3] = { 3, 0, 8 }, scale[3], bias[3];
    kernel_factors(NULL, &(struct factors_args){ .channels = 3,
                                                 .gamma = gamma,
                                                 .beta = beta,
                                                 .mean = mean,
                                                 .variance = variance,
                                                 .epsilon = 1,
                                                 .out = { .scale = scale },
                                                 .bias = bias });
    const float scales[3] = { .5f, 2, -1.f / 3 }, biases[3] = { 0, 4, 2 };
    field_compare("scale", scales, scale, 3, 1e-6);
    field_compare("bias", biases, bias, 3, 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batch), cmocka_unit_test(test_frozen),
        cmocka_unit_test(test_bias),  cmocka_unit_test(test_nan_goes_through),
        cmocka_unit_test(test_fold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
