/* A step starts no thread: pthread_create() of this program counts what every library starts. */
#include "unit/engine/net.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>

static atomic_int started;

__attribute__((visibility("default"))) int pthread_create(pthread_t *thread,
                                                          const pthread_attr_t *attributes,
                                                          void *(*function)(void *), void *argument)
{
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    void *symbol = dlsym(RTLD_NEXT, "pthread_create");
    memcpy(&real, &symbol, sizeof real);
    atomic_fetch_add(&started, 1);
    return real(thread, attributes, function, argument);
}

static void check_engine(const struct engine *engine)
{
    i3d_model_options options = { .channels = 3, .classes = 5, .bn_epsilon = 1e-3 };
    struct net net = net_make(network_units, network_unit_count, &options, 1, (int[]){ 8, 32, 32 });
    net.engine = engine;
    net.request.precision = I3D_PRECISION_F32;
    net.request.threads = 3;
    net_draw_params(net.model, 1);
    int before = atomic_load(&started);
    net_plan(&net, 1);
    int planned = atomic_load(&started);
    assert_true(planned >= before + 2); /* the plan's team; so the count counts */
    for (int step = 0; step < 2; step++) {
        net_step(&net);
        assert_ok(engine->apply(net.plan, &(struct update){ .step = step, .clips = 1 }));
    }
    assert_int_equal(atomic_load(&started), planned);
    net_free(&net);
}

static void a_step_starts_no_thread(void **state)
{
    (void)state;
    const struct engine *engine;
    for (int i = 0; (engine = engine_at(i)) != NULL; i++)
        if (engine->available() == I3D_OK)
            check_engine(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_step_starts_no_thread) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
