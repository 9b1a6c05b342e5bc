/* Logits that are not finite are an error that names where they begin. */
#include "test.h"

#include <i3d/network.h>

#include "base/memory.h"

#include <math.h>

enum { CLASSES = 3, FRAMES = 9, SIZE = 33, CLIP = 3 * FRAMES * SIZE * SIZE };

static i3d_model *model;
static float clips[2 * CLIP], logits[2 * CLASSES];

static int setup(void **state)
{
    (void)state;
    const i3d_model_options of = { .channels = 3, .classes = CLASSES, .bn_epsilon = 1e-3 };
    for (size_t i = 0; i < 2 * CLIP; i++)
        clips[i] = (float)(i % 11) / 5 - 1;
    if (i3d_model_create(&of, &model) != I3D_OK)
        return -1;
    i3d_model_initialize(model, 1, false);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    i3d_model_free(model);
    return 0;
}

static i3d_status run(const char *engine)
{
    const i3d_network_options options = {
        .engine = engine, .batch = 2, .frames = FRAMES, .height = SIZE, .width = SIZE, .threads = 1
    };
    i3d_network *network;
    i3d_status status = i3d_network_create(model, &options, &network);
    if (status == I3D_OK)
        status = i3d_network_run(network, 2, clips, logits);
    i3d_network_free(network);
    return status;
}

static float swap(const char *name, float value)
{
    const i3d_param *param = i3d_model_find_param(model, name);
    assert_non_null(param);
    float *at = i3d_model_data(model) + param->offset, kept = *at;
    *at = value;
    return kept;
}

/* With one float of a parameter set to `value`. */
static void spoil(const char *name, float value, const char *engine, const char *words)
{
    float kept = swap(name, value);
    assert_fails(run(engine), I3D_EFORMAT, words);
    swap(name, kept);
    assert_ok(run(engine));
}

static void the_first_layer_is_named(void **state)
{
    (void)state;
    static const char bad[] = "a parameter of 'logits' is not a finite number";
    static const char *const engines[] = { "reference", "auto" };
    for (int i = 0; i < 2; i++) {
        spoil("logits.weight", NAN, engines[i], bad);
        spoil("logits.bias", INFINITY, engines[i], bad);
        /* All parameters are finite; a feature times its weight is not. */
        float kept = swap("Mixed_5c_b0.beta", 1e30f);
        spoil("logits.weight", 1e30f, engines[i], "that is not finite is 'logits'");
        swap("Mixed_5c_b0.beta", kept);
    }
}

/* What overflows in the middle of the network and is cut away by the ReLUs behind it. */
static void what_a_relu_hides_is_seen(void **state)
{
    (void)state;
    static const char *const engines[] = { "reference", "auto" };
    for (int i = 0; i < 2; i++)
        spoil("Mixed_4c_b1b.beta", 3e38f, engines[i], "that is not finite is 'Mixed_4f_b1a'");
}

static void a_clip_is_named_too(void **state)
{
    (void)state;
    static const char *const engines[] = { "reference", "auto" };
    for (int i = 0; i < 2; i++) {
        clips[CLIP + 100] = NAN;
        assert_fails(run(engines[i]), I3D_EFORMAT, "the clip holds a number that is not finite");
        clips[CLIP + 100] = 0;
        assert_ok(run(engines[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_layer_is_named),
        cmocka_unit_test(what_a_relu_hides_is_seen),
        cmocka_unit_test(a_clip_is_named_too),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
