/* A model on an engine, by the public calls. */
#include "test.h"

#include <i3d/network.h>

#include "base/memory.h"
#include "base/random.h"

static void a_network_runs_a_model(void **state)
{
    (void)state;
    i3d_model *model;
    i3d_network *network;
    i3d_model_options of = { .channels = 2, .classes = 3, .bn_epsilon = 1e-3 };
    i3d_network_options options = {
        .engine = "reference", .batch = 2, .frames = 8, .height = 32, .width = 33
    };
    size_t clip = 2 * 8 * 32 * 33;
    struct random random = random_for(1, RANDOM_TRIAL, 0, 0);
    float *data, both[6], second[3];
    assert_ok(memory_get(2 * clip, sizeof *data, &data));
    for (size_t i = 0; i < 2 * clip; i++)
        data[i] = (float)(2 * random_unit(&random) - 1);
    assert_ok(i3d_model_create(&of, &model));
    i3d_model_initialize(model, 1, true);
    assert_ok(i3d_network_create(model, &options, &network));
    assert_ok(i3d_network_run(network, 2, data, both));
    assert_ok(i3d_network_run(network, 1, data + clip, second));
    assert_memory_equal(second, both + 3, sizeof second);
    assert_memory_not_equal(second, both, sizeof second);
    assert_fails(i3d_network_run(network, 3, data, both), I3D_EINVAL, "1 to 2 clips");
    assert_fails(i3d_network_run(network, 0, data, both), I3D_EINVAL, "1 to 2 clips");
    i3d_network_free(network);
    options.height = 31;
    assert_fails(i3d_network_create(model, &options, &network), I3D_EINVAL, "31 rows");
    assert_null(network);
    options.height = 32;
    options.engine = "abacus";
    assert_fails(i3d_network_create(model, &options, &network), I3D_EUNSUPPORTED, "'abacus'");
    options.batch = 0;
    assert_fails(i3d_network_create(model, &options, &network), I3D_EINVAL, "0 clips");
    i3d_model_free(model);
    memory_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_runs_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
