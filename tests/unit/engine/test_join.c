/* Norms of several plans that see each other's clips: two plans of a part of a batch each, on two
 * threads, give what one plan of the whole batch gives. */
#include "unit/engine/net.h"

#include <pthread.h>

enum { CLIPS = 5, PARTS = 2 };

static const struct unit units[] = {
    { UNIT_CONV, "a", { 3, 3, 3 }, { 1, 2, 2 }, .channels = { 16 } },
    { UNIT_MIXED, "Mixed_b", .channels = { 16, 16, 16, 16, 16, 16 } },
    { .kind = UNIT_HEAD, .name = "logits" },
};

/* Adds the arrays of all parts up once each has brought its own. */
static struct {
    pthread_barrier_t barrier;
    pthread_mutex_t lock;
    double sum[4096];
} meeting;

static i3d_status meet(void *context, struct array array)
{
    double *numbers = array.data;
    (void)context;
    assert_int_equal(array.dtype, I3D_F64);
    assert_true(array.count <= 4096);
    if (pthread_barrier_wait(&meeting.barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
        memset(meeting.sum, 0, sizeof meeting.sum);
    pthread_barrier_wait(&meeting.barrier);
    pthread_mutex_lock(&meeting.lock);
    for (size_t i = 0; i < array.count; i++)
        meeting.sum[i] += numbers[i];
    pthread_mutex_unlock(&meeting.lock);
    pthread_barrier_wait(&meeting.barrier);
    memcpy(numbers, meeting.sum, array.count * sizeof *numbers);
    pthread_barrier_wait(&meeting.barrier);
    return I3D_OK;
}

static struct net make(const char *engine, bool joined)
{
    i3d_model_options options = { .channels = 3, .classes = 4, .bn_epsilon = 1e-3 };
    struct net net = net_make(units, 3, &options, CLIPS, (int[]){ 4, 16, 16 });
    net_draw_params(net.model, 1);
    net.request.precision = strcmp(engine, "cpu") == 0 ? I3D_PRECISION_F32 : I3D_PRECISION_F32_F64;
    net.request.threads = 1;
    assert_ok(engine_find(engine, &net.engine));
    if (joined)
        net.request.join.sum = meet;
    net_plan(&net, 2);
    return net;
}

struct part {
    struct net net;
    int first, count; /* of the whole batch's clips */
};

static void *step(void *argument)
{
    struct part *part = argument;
    struct net *net = &part->net;
    size_t first = (size_t)part->first, clip = net_clip_floats(net);
    size_t features = net_feature_floats(net) / CLIPS, classes = net_output_floats(net) / CLIPS;
    i3d_status status = net->engine->forward(net->plan, part->count, net->data + first * clip,
                                             net->keep + first * features, net->output);
    if (status == I3D_OK)
        net_backward(net, net->output_gradient + first * classes);
    return status == I3D_OK ? NULL : net;
}

static void check_split(const char *engine, int first_part, double bound)
{
    struct net whole = make(engine, false);
    struct part parts[PARTS] = {
        { .net = make(engine, true), .count = first_part },
        { .net = make(engine, true), .first = first_part, .count = CLIPS - first_part }
    };
    pthread_t threads[PARTS];
    void *failed;
    net_step(&whole);
    for (int p = 0; p < PARTS; p++)
        assert_int_equal(pthread_create(&threads[p], NULL, step, &parts[p]), 0);
    for (int p = 0; p < PARTS; p++) {
        pthread_join(threads[p], &failed);
        assert_null(failed);
        assert_true(net_error(parts[p].net.statistics, whole.statistics, whole.graph.statistics) <
                    bound);
    }
    size_t outputs = net_output_floats(&whole) / CLIPS;
    for (int p = 0; p < PARTS; p++)
        assert_true(net_error(parts[p].net.output, whole.output + (size_t)parts[p].first * outputs,
                              (size_t)parts[p].count * outputs) < bound);
    for (size_t i = 0; i < whole.graph.floats; i++)
        parts[0].net.gradients[i] += parts[1].net.gradients[i];
    assert_true(net_error(parts[0].net.gradients, whole.gradients, whole.graph.floats) < bound);
    net_free(&whole);
    for (int p = 0; p < PARTS; p++)
        net_free(&parts[p].net);
}

static void the_reference_engine_joins(void **state)
{
    (void)state;
    check_split("reference", 3, 1e-6);
    check_split("reference", 1, 1e-6);
}

static void the_cpu_engine_joins(void **state)
{
    const struct engine *engine;
    (void)state;
    if (engine_find("cpu", &engine) != I3D_OK)
        skip();
    check_split("cpu", 3, 1e-5);
    check_split("cpu", 1, 1e-5);
}

static void a_plan_without_clips_joins_too(void **state)
{
    const struct engine *engine;
    (void)state;
    check_split("reference", 0, 1e-6);
    if (engine_find("cpu", &engine) == I3D_OK)
        check_split("cpu", 0, 1e-5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_engine_joins),
        cmocka_unit_test(the_cpu_engine_joins),
        cmocka_unit_test(a_plan_without_clips_joins_too),
    };
    pthread_barrier_init(&meeting.barrier, NULL, PARTS);
    pthread_mutex_init(&meeting.lock, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
