/* Plug-ins: the reference engine as one computes the same bits, its failures and its memory are the
 * library's, and what is no plug-in of this library is left out with a reason. */
#include "unit/engine/net.h"

#include "base/talk.h"
#include "plugin/plugin.h"

#include <sys/stat.h>
#include <unistd.h>

static char talked[4096];

static void note(const char *line, void *context)
{
    (void)context;
    size_t used = strlen(talked);
    snprintf(talked + used, sizeof talked - used, "%s\n", line);
}

static const struct unit small[] = {
    { UNIT_CONV, "a", { 3, 3, 3 }, { 1, 2, 2 }, .channels = { 4 } },
    { UNIT_MIXED, "Mixed_b", .channels = { 3, 2, 4, 2, 3, 2 } },
    { .kind = UNIT_HEAD, .name = "logits" },
};

static struct net make(const char *engine)
{
    i3d_model_options options = { .channels = 2, .classes = 3, .bn_epsilon = 1e-3 };
    struct net net = net_make(small, 3, &options, 2, (int[]){ 4, 9, 8 });
    net_draw_params(net.model, 1);
    net.request.precision = I3D_PRECISION_F32;
    assert_ok(engine_find(engine, &net.engine));
    return net;
}

static void what_is_found_is_told(void **state)
{
    (void)state;
    const struct engine *engine;
    assert_ok(engine_find("plugged", &engine));
    assert_non_null(strstr(talked, "i3d-none.so' has no i3d_plugin"));
    char versions[64];
    snprintf(versions, sizeof versions, "i3d-old.so' is of ABI %d, this library of %d",
             PLUGIN_ABI + 1, PLUGIN_ABI);
    assert_non_null(strstr(talked, versions));
    assert_non_null(strstr(talked, "i3d-failing.so': there is no card"));
    assert_non_null(strstr(talked, "left out '.' of I3D_PLUGIN_PATH: give absolute folders"));
    assert_fails(engine_find("abacus", &engine), I3D_EUNSUPPORTED, "plugged");
    assert_ok(engine_find("auto", &engine)); /* the fastest, and that it is not */
    assert_string_not_equal(engine->name, "plugged");
}

/* Plug-ins do not take the place of an engine by its name, however fast they say they are. */
static void of_one_name_the_first_counts(void **state)
{
    (void)state;
    const struct engine *engine, *fastest;
    int references = 0, plugged = 0;
    for (int i = 0; (engine = engine_at(i)) != NULL; i++) {
        references += strcmp(engine->name, "reference") == 0;
        plugged += strcmp(engine->name, "plugged") == 0;
    }
    assert_int_equal(references, 1);
    assert_int_equal(plugged, 1);
    assert_ok(engine_find("auto", &fastest));
    assert_true(fastest->speed < 1000);
}

static void it_computes_the_same_bits(void **state)
{
    (void)state;
    struct net built_in = make("reference"), plugged = make("plugged");
    assert_ptr_not_equal(built_in.engine->forward, plugged.engine->forward);
    net_plan(&built_in, 1);
    net_plan(&plugged, 1);
    for (int step = 0; step < 2; step++) {
        struct update update = { .step = step, .lr = .01, .clips = 2, .bn_momentum = .1 };
        net_step(&built_in);
        net_step(&plugged);
        assert_memory_equal(built_in.output, plugged.output,
                            net_output_floats(&plugged) * sizeof(float));
        assert_memory_equal(built_in.gradients, plugged.gradients,
                            plugged.graph.floats * sizeof(float));
        assert_ok(built_in.engine->apply(built_in.plan, &update));
        assert_ok(plugged.engine->apply(plugged.plan, &update));
    }
    net_free(&built_in);
    net_free(&plugged);
}

/* Sentences, memory and interrupts cross the border. */
static void the_library_is_its_host(void **state)
{
    (void)state;
    struct net net = make("plugged");
    net.request.precision = I3D_PRECISION_BF16;
    assert_fails(net_try_plan(&net), I3D_EUNSUPPORTED, "has no bf16");
    net.request.precision = I3D_PRECISION_F32;
    memory_fail_at(5);
    assert_fails(net_try_plan(&net), I3D_ENOMEM, "no memory for");
    memory_fail_at(0);
    assert_null(net.plan);
    net_plan(&net, 1);
    assert_fails(net.engine->read_value(net.plan, 99, net.data), I3D_EINVAL, "no value 99");
    net_free(&net);
}

static void a_file_can_be_opened_by_itself(void **state)
{
    (void)state;
    const struct plugin *plugin;
    assert_ok(plugin_open(PLUGINS "/i3d-plugged.so", &plugin));
    assert_string_equal(plugin->name, "plugged");
    assert_fails(plugin_open(PLUGINS "/i3d-old.so", &plugin), I3D_EUNSUPPORTED, "is of ABI");
    assert_null(plugin);
    assert_int_equal(mkfifo("i3d-pipe.so", 0600), 0);
    i3d_status of_a_pipe = plugin_open("i3d-pipe.so", &plugin);
    unlink("i3d-pipe.so");
    assert_int_equal(of_a_pipe, I3D_EUNSUPPORTED);
    assert_non_null(strstr(i3d_error(), "it is no regular file"));
    assert_fails(plugin_open(PLUGINS "/i3d-gone.so", &plugin), I3D_EUNSUPPORTED, "i3d-gone.so");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_found_is_told),
        cmocka_unit_test(of_one_name_the_first_counts),
        cmocka_unit_test(it_computes_the_same_bits),
        cmocka_unit_test(the_library_is_its_host),
        cmocka_unit_test(a_file_can_be_opened_by_itself),
    };
    setenv("I3D_PLUGIN_PATH", ".:" PLUGINS ":" PLUGINS "/../plugins", 1);
    i3d_log_to(note, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
