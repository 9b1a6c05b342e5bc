/* The head's twins against engine/head.c and the reference engine's pool. */
#include "field.h"

#include "engine/head.h"
#include "engine/reference/pool.h"

struct shape {
    int count, channels, t, map, classes;
};
static const struct shape shapes[] = {
    { 2, 64, 3, 49, 400 }, { 3, 19, 1, 6, 5 }, { 1, 264, 5, 9, 51 }, { 5, 8, 2, 1, 1 }
};
enum { SHAPES = 4 };

struct trial {
    struct shape shape;
    struct op op;
    struct pool pool;
    int windows;
    size_t ins, features;
    float *x, *dx, *expected, *got, *keep, *weight, *bias, *gradient;
    struct field in, in_gradient;
    struct head_args args;
};

static float *draw(uint64_t seed, double low, double high, size_t count)
{
    float *floats = field_floats(count);
    field_draw_floats(seed, low, high, floats, count);
    return floats;
}

static void draw_trial(const struct shape *shape, enum element type, struct lie lie, bool maximum,
                       bool keep, struct trial *out)
{
    size_t channels = (size_t)shape->channels, classes = (size_t)shape->classes;
    int window = maximum ? shape->t : shape->t > 1 ? 2 : 1;
    *out = (struct trial){ .shape = *shape, .windows = shape->t - window + 1 };
    out->op = (struct op){ .kind = OP_HEAD,
                           .in_channels = shape->channels,
                           .channels = shape->channels,
                           .kernel = { window, shape->map, 1 },
                           .stride = { 1, 1, 1 },
                           .size_in = { shape->t, shape->map, 1 },
                           .size_out = { out->windows, 1, 1 } };
    out->pool = (struct pool){ .op = &out->op, .count = shape->count, .mean = !maximum };
    assert_ok(team_create(1, &out->pool.team));
    out->features = (size_t)shape->count * channels * (size_t)out->windows;
    out->ins = (size_t)shape->count * channels * (size_t)(shape->t * shape->map);
    size_t most = out->ins + out->features + classes * channels + (size_t)shape->count * classes;
    out->x = field_floats(out->ins);
    out->dx = field_floats(out->ins);
    out->expected = field_floats(most);
    out->got = field_floats(most);
    out->keep = keep ? draw(4, 0, 2, out->features) : NULL;
    out->weight = draw(5, -.3, .3, classes * channels);
    out->bias = draw(6, -.3, .3, classes);
    out->gradient = draw(7, -1, 1, (size_t)shape->count * classes);
    size_t map = (size_t)(shape->t * shape->map);
    out->in = field_draw(type, shape->count, map, shape->channels, lie, 1, -1, 1, out->x);
    out->in_gradient = field_draw(type, shape->count, map, shape->channels, lie, 2, -1, 1, out->dx);
    out->args = (struct head_args){
        .count = shape->count,
        .channels = shape->channels,
        .classes = shape->classes,
        .t = shape->t,
        .map = shape->map,
        .window = window,
        .maximum = maximum,
        .in = out->in.view,
        .features = field_floats(out->features),
        .winner = field_memory(out->features * sizeof(int32_t)),
        .keep = out->keep,
        .kept = field_floats((size_t)shape->count * channels),
        .weight = out->weight,
        .bias = out->bias,
        .logits = field_floats((size_t)shape->count * classes),
        .logits_gradient = out->gradient,
        .weight_gradient = field_floats(classes * channels),
        .bias_gradient = field_floats(classes),
        .kept_gradient = field_floats((size_t)shape->count * channels),
        .in_gradient = out->in_gradient.view,
    };
}

static void free_trial(struct trial *trial)
{
    struct head_args *args = &trial->args;
    void *memory[] = {
        trial->x,      trial->dx,    trial->expected,       trial->got,          trial->keep,
        trial->weight, trial->bias,  trial->gradient,       args->features,      args->winner,
        args->kept,    args->logits, args->weight_gradient, args->bias_gradient, args->kept_gradient
    };
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++)
        memory_free(memory[i]);
    team_free(trial->pool.team);
    field_free(&trial->in);
    field_free(&trial->in_gradient);
}

static void check_trial(struct trial *trial, enum element type)
{
    const struct shape *shape = &trial->shape;
    struct head_args *args = &trial->args;
    size_t map = (size_t)(shape->t * shape->map), windows = (size_t)trial->windows;
    size_t classes = (size_t)shape->classes, weights = classes * (size_t)shape->channels;
    struct head head = { shape->channels, trial->windows, shape->classes, trial->weight,
                         trial->bias };
    float scale = 4, *features = trial->expected, *at = features + trial->features;
    assert_ok(pool_forward(&trial->pool, field_maps(shape->channels, map, trial->x),
                           field_maps(shape->channels, windows, features)));
    kernel_head(NULL, args);
    field_compare("features", features, args->features, trial->features, 1e-6);
    head_forward(&head, shape->count, features, trial->keep, at);
    field_compare("logits", at, args->logits, (size_t)shape->count * classes, 2e-6);

    float *weight_gradient = at, *bias_gradient = at + weights;
    float *features_gradient = trial->got;
    head_backward(&head, shape->count, features, trial->keep, trial->gradient, weight_gradient,
                  bias_gradient, features_gradient);
    assert_ok(pool_backward(&trial->pool, field_maps(shape->channels, map, trial->x),
                            field_maps(shape->channels, windows, features_gradient),
                            field_maps(shape->channels, map, trial->dx)));
    args->add = true;
    kernel_head_backward(NULL, args);
    field_compare("weight gradient", weight_gradient, args->weight_gradient, weights, 2e-6);
    field_compare("bias gradient", bias_gradient, args->bias_gradient, classes, 2e-6);
    field_get(&trial->in_gradient, trial->got);
    field_compare("added", trial->dx, trial->got, trial->ins, field_tolerance(type));
    field_check_untouched(&trial->in_gradient);

    head_backward(&head, shape->count, features, trial->keep, trial->gradient, NULL, NULL,
                  trial->got);
    memset(trial->dx, 0, trial->ins * sizeof *trial->dx);
    for (size_t i = 0; i < trial->features; i++)
        trial->got[i] *= scale;
    assert_ok(pool_backward(&trial->pool, field_maps(shape->channels, map, trial->x),
                            field_maps(shape->channels, windows, trial->got),
                            field_maps(shape->channels, map, trial->dx)));
    args->add = false;
    args->scale = &scale;
    kernel_head_backward(NULL, args);
    field_get(&trial->in_gradient, trial->got);
    field_compare("in_gradient", trial->dx, trial->got, trial->ins, field_tolerance(type) * 2);
}

static void try_all(bool maximum, bool keep)
{
    for (int s = 0; s < SHAPES; s++)
        for (int type = 0; type <= ELEMENT_F16; type++)
            for (int lie = 0; lie < FIELD_LIES; lie++) {
                struct trial trial;
                draw_trial(&shapes[s], (enum element)type, field_lies[lie], maximum, keep, &trial);
                check_trial(&trial, (enum element)type);
                free_trial(&trial);
            }
}

static void test_mean(void **state)
{
    (void)state;
    try_all(false, true);
    try_all(false, false);
}

static void test_maximum(void **state)
{
    (void)state;
    try_all(true, true);
}

/* The first of equals, the last NaN. */
static void test_winner(void **state)
{
    (void)state;
    struct trial trial;
    draw_trial(&shapes[0], ELEMENT_F32, field_lies[0], true, false, &trial);
    float *x = trial.x;
    for (size_t i = 0; i < trial.ins; i++)
        x[i] = roundf(x[i] * 2);
    x[3] = x[90] = NAN;
    field_put(&trial.in, x);
    kernel_head(NULL, &trial.args);
    size_t map = (size_t)(trial.shape.t * trial.shape.map);
    for (size_t row = 0; row < trial.features; row++) {
        size_t best = 0;
        for (size_t i = 0; i < map; i++)
            if (x[row * map + i] > x[row * map + best] || isnan(x[row * map + i]))
                best = i;
        assert_int_equal(trial.args.winner[row], best);
    }
    assert_true(isnan(trial.args.features[0]));
    free_trial(&trial);
}

/* train/loss.c's rule, written again: layers.txt keeps it above the engine. */
static void test_loss(void **state)
{
    (void)state;
    enum { COUNT = 3, CLASSES = 301 };
    float logits[COUNT * CLASSES], gradient[COUNT * CLASSES], expected[COUNT * CLASSES];
    const int32_t labels[COUNT] = { 0, 300, 7 };
    double losses[COUNT], loss, all = 0;
    field_draw_floats(1, -30, 30, logits, COUNT * CLASSES);
    logits[5] = 1000;
    kernel_loss(NULL,
                &(struct loss_args){ COUNT, CLASSES, logits, labels, gradient, losses, &loss });
    for (int n = 0; n < COUNT; n++) {
        const float *row = logits + n * CLASSES;
        double most = -INFINITY, sum = 0;
        for (int k = 0; k < CLASSES; k++)
            most = fmax(most, (double)row[k]);
        for (int k = 0; k < CLASSES; k++)
            sum += exp(row[k] - most);
        for (int k = 0; k < CLASSES; k++)
            expected[n * CLASSES + k] = (float)(exp(row[k] - most) / sum - (k == labels[n]));
        all += log(sum) + most - row[labels[n]];
    }
    field_compare("gradient", expected, gradient, COUNT * CLASSES, 1e-7);
    assert_true(fabs(loss - all) <= 1e-12 * all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mean),
        cmocka_unit_test(test_maximum),
        cmocka_unit_test(test_winner),
        cmocka_unit_test(test_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
