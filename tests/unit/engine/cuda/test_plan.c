/* The cuda engine's plan without a card: its kernels' twins, and the reference engine's
 * convolutions where cuDNN's would be. So what is held to the reference engine is the order of all
 * that is done, the places in memory, strides, and what is kept for the way back. */
#include "unit/engine/cuda/card_host.h"
#include "unit/engine/net.h"

extern const struct engine engine_cuda;

static const i3d_model_options options = { .channels = 3, .classes = 11, .bn_epsilon = 1e-3 };

static struct net make_twin(const struct net *of, i3d_precision precision)
{
    return net_twin(of, &engine_cuda, precision);
}

static const struct small_case {
    const char *name;
    int channels, size[3];
    struct unit units[3];
    int unit_count;
} small_cases[] = {
    { "stem",
      3,
      { 9, 17, 20 },
      { { UNIT_CONV, "a", { 7, 7, 7 }, { 2, 2, 2 }, .channels = { 64 } },
        { UNIT_POOL, "b", { 1, 3, 3 }, .stride = { 1, 2, 2 } } },
      2 },
    { "stem of flow",
      2,
      { 8, 18, 15 },
      { { UNIT_CONV, "a", { 7, 7, 7 }, { 2, 2, 2 }, .channels = { 64 } },
        { UNIT_CONV, "b", { 1, 1, 1 }, { 1, 1, 1 }, .channels = { 16 } } },
      2 },
    { "convolutions and a pool",
      3,
      { 5, 9, 11 },
      { { UNIT_CONV, "a", { 3, 3, 3 }, { 1, 1, 1 }, .channels = { 24 } },
        { UNIT_POOL, "b", { 3, 3, 3 }, .stride = { 2, 2, 2 } },
        { UNIT_CONV, "c", { 3, 3, 3 }, { 1, 1, 1 }, .channels = { 40 } } },
      3 },
    { "Inception block",
      3,
      { 5, 9, 11 },
      { { UNIT_CONV, "a", { 3, 3, 3 }, { 1, 1, 1 }, .channels = { 32 } },
        { UNIT_MIXED, "Mixed_x", .channels = { 32, 16, 48, 24, 16, 64 } },
        { UNIT_MIXED, "Mixed_y", .channels = { 16, 16, 24, 16, 16, 24 } } },
      3 },
    { "sum, bias, no ReLU",
      3,
      { 4, 7, 6 },
      { { UNIT_CONV, "a", { 3, 3, 3 }, { 1, 1, 1 }, .channels = { 16 } },
        { UNIT_CONV,
          "b",
          { 3, 3, 3 },
          { 1, 1, 1 },
          .channels = { 16 },
          .no_norm = true,
          .no_relu = true },
        { UNIT_ADD, "c", .from = "a" } },
      3 },
    { "head",
      3,
      { 6, 5, 4 },
      { { UNIT_CONV, "a", { 3, 3, 3 }, { 1, 1, 1 }, .channels = { 32 } },
        { UNIT_HEAD, .name = "logits" } },
      2 },
};

/* A number so near 0 that rounding decides whether the ReLU lets it through changes a small map's
 * gradients visibly. Of so many draws one must have none. */
enum { DRAWS = 4 };

static bool check_small(const struct small_case *at, i3d_head head, bool frozen, uint64_t seed)
{
    i3d_model_options wanted = options;
    bool bn_frozen[GRAPH_OPS_MAX];
    memset(bn_frozen, frozen, sizeof bn_frozen);
    wanted.channels = at->channels;
    wanted.head = head;
    struct net reference = net_make(at->units, at->unit_count, &wanted, 2, at->size);
    reference.request.frozen = bn_frozen;
    struct net net = make_twin(&reference, I3D_PRECISION_F32);
    return net_same_step(at->name, seed, &reference, &net);
}

static void every_operation_computes_what_the_reference_engine_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof small_cases / sizeof small_cases[0]; i++)
        for (int frozen = 0; frozen < 2; frozen++) {
            bool close = false;
            for (uint64_t seed = 1; seed <= DRAWS && !close; seed++)
                close = check_small(&small_cases[i], frozen ? I3D_HEAD_MAX : I3D_HEAD_AVG, frozen,
                                    seed);
            print_message("%s\n", small_cases[i].name);
            if (!close)
                fail_msg("%s: no draw has gradients within 1e-4", small_cases[i].name);
        }
}

static struct net make_network(int channels, int batch, const int size[3])
{
    i3d_model_options wanted = options;
    wanted.channels = channels;
    return net_make(network_units, network_unit_count, &wanted, batch, size);
}

/* Logits of the whole network, of 2 clips where 3 would do, in all precisions. */
static void the_whole_network_gives_the_same_logits(void **state)
{
    (void)state;
    static const struct {
        i3d_precision precision;
        double bound;
    } rows[] = { { I3D_PRECISION_F32, 1e-5 },
                 { I3D_PRECISION_BF16, 3e-2 },
                 { I3D_PRECISION_F16, 3e-3 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct net reference = make_network(i ? 2 : 3, 2, (int[]){ 9, 33, 36 });
        reference.request.purpose = PLAN_INFERENCE;
        struct net net = make_twin(&reference, rows[i].precision);
        net.request.batch = 3;
        net_plan_both(1, &reference, &net);
        net_forward(&reference);
        assert_ok(engine_cuda.forward(net.plan, 2, reference.data, NULL, net.output));
        net_assert_near("the network", "the logits", net.output, reference.output,
                        net_output_floats(&reference), rows[i].bound);
        net_free(&reference);
        net_free(&net);
    }
}

static void a_profile_names_what_does_the_work(void **state)
{
    (void)state;
    struct net model = make_network(2, 1, (int[]){ 8, 32, 32 });
    struct net net = make_twin(&model, I3D_PRECISION_F32);
    struct op_time times[GRAPH_OPS_MAX];
    float logits[11];
    net.request.purpose = PLAN_INFERENCE;
    net_draw_params(net.model, 1);
    net_plan(&net, 1);
    net_forward(&net);
    assert_ok(engine_cuda.profile(net.plan, 1, net.data, logits, times));
    assert_memory_equal(logits, net.output, sizeof logits);
    assert_string_equal(times[0].kernel, "cuDNN, folded");
    assert_string_equal(times[1].kernel, "pool");
    assert_string_equal(times[net.graph.op_count - 1].kernel, "head");
    net_free(&model);
    net_free(&net);
}

/* `tuned`: the first convolution is not trained, and has its norm in its weights. */
static void check_two_of_five(bool tuned)
{
    static const struct unit units[] = {
        { UNIT_CONV, "a", { 3, 3, 3 }, { 1, 1, 1 }, .channels = { 24 } },
        { UNIT_MIXED, "Mixed_x", .channels = { 16, 16, 32, 24, 16, 32 } },
        { UNIT_HEAD, .name = "logits" }
    };
    bool trained[GRAPH_PARAMS_MAX], frozen[GRAPH_OPS_MAX] = { tuned };
    struct net reference = net_make(units, 3, &options, 2, (int[]){ 4, 7, 6 });
    for (int p = 0; p < reference.graph.param_count; p++)
        trained[p] = !tuned || reference.graph.params[p].name[0] != 'a';
    reference.request.trained = trained;
    reference.request.frozen = frozen;
    struct net net = make_twin(&reference, I3D_PRECISION_F32);
    net.request.batch = 5;
    net_plan_both(1, &reference, &net);
    net_step(&reference);
    for (int i = 0; i < 2; i++) /* first a full one, that leaves something behind */
        assert_ok(net.engine->forward(net.plan, i ? 2 : 5, net.data, i ? reference.keep : net.keep,
                                      net.output));
    net_backward(&net, reference.output_gradient);
    net_assert_near("two of five", "the logits", net.output, reference.output, 2 * 11, 1e-5);
    net_assert_gradients_near("two of five", &net, &reference, 1e-4);
    net_free(&reference);
    net_free(&net);
}

static void a_batch_that_is_not_full_trains_as_a_smaller_one(void **state)
{
    (void)state;
    check_two_of_five(false);
    check_two_of_five(true);
}

enum { STEPS = 20 };

/* What a run of steps leaves behind. */
struct run {
    float outputs[STEPS][2 * 11];
    float *params, *moments;
};

/* The gradient of cross-entropy with class n % 11 for clip n, and the loss itself. */
static double draw_loss(const float *logits, int count, float *gradient)
{
    double loss = 0;
    for (int n = 0; n < count; n++, logits += 11, gradient += 11) {
        double sum = 0;
        for (int k = 0; k < 11; k++)
            sum += exp((double)logits[k]);
        for (int k = 0; k < 11; k++)
            gradient[k] = (float)(exp((double)logits[k]) / sum - (k == n % 11));
        loss += log(sum) - (double)logits[n % 11];
    }
    return loss;
}

/* So small steps that the reference engine follows itself when its sums are in another precision:
 * with larger ones a ReLU or a maximum that falls the other way sets two runs apart. */
static void run_steps(struct net *net, double lr, struct run *run)
{
    struct range all = { 0, net->graph.floats };
    for (int step = 0; step < STEPS; step++) {
        net_draw(7, 2, (uint64_t)step, -1, 1, net->data,
                 (size_t)net->request.batch * net_clip_floats(net));
        net_forward(net);
        memcpy(run->outputs[step], net->output, sizeof run->outputs[step]);
        double loss = draw_loss(net->output, net->request.batch, net->output_gradient);
        assert_ok(net->engine->backward(net->plan, net->output_gradient, NULL));
        assert_ok(net->engine->apply(
            net->plan,
            &(struct update){
                .step = step, .lr = lr, .clips = 2, .loss = loss / 2, .bn_momentum = .1 }));
    }
    run->params = net_floats(all.count);
    run->moments = net_floats(all.count);
    assert_ok(net->engine->download(net->plan, PLAN_PARAMS, all, run->params));
    assert_ok(net->engine->download(net->plan, PLAN_MOMENT_1, all, run->moments));
}

static bool is_fine_tuned(const char *name)
{
    return strncmp(name, "Mixed_5", 7) == 0 || strncmp(name, "logits", 6) == 0;
}

static void choose_tuned(const struct net *net, bool *trained, bool *frozen)
{
    for (size_t p = 0; p < i3d_model_param_count(net->model); p++)
        trained[p] = is_fine_tuned(i3d_model_param(net->model, p)->name);
    for (int i = 0; i < net->graph.op_count; i++)
        frozen[i] = !is_fine_tuned(net->graph.ops[i].name);
}

/* The distance of what changed, as a part of the change. */
static double drift(const float *a, const float *b, const float *from, size_t count)
{
    double apart = 0, moved = 0;
    for (size_t i = 0; i < count; i++) {
        apart += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
        moved += ((double)b[i] - (double)from[i]) * ((double)b[i] - (double)from[i]);
    }
    return moved > 0 ? sqrt(apart / moved) : sqrt(apart);
}

enum { UNITS_MAX = 32 };

/* The network with a quarter of its channels, so that the reference engine has done in seconds. */
static struct net make_thin(int channels, struct unit thin[UNITS_MAX])
{
    i3d_model_options wanted = options;
    wanted.channels = channels;
    for (int u = 0; u < network_unit_count; u++) {
        thin[u] = network_units[u];
        for (int c = 0; c < 6; c++)
            thin[u].channels[c] = (thin[u].channels[c] / 4 + 7) / 8 * 8;
    }
    return net_make(thin, network_unit_count, &wanted, 2, (int[]){ 16, 64, 64 });
}

static void follow(int channels, bool tuned, i3d_optimizer kind)
{
    bool trained[512] = { false }, frozen[GRAPH_OPS_MAX] = { false };
    struct unit thin[UNITS_MAX];
    struct net reference = make_thin(channels, thin);
    reference.request.optimizer =
        (struct optimizer){ .kind = kind, .momentum = .9, .weight_decay = 1e-4 };
    reference.request.precision = I3D_PRECISION_F32;
    if (tuned) {
        choose_tuned(&reference, trained, frozen);
        reference.request.trained = trained;
        reference.request.frozen = frozen;
    }
    struct net net = make_twin(&reference, I3D_PRECISION_F32);
    struct run expected, got;
    net_plan_both(1, &reference, &net);
    double lr = kind == I3D_ADAM ? 1e-6 : 1e-7;
    run_steps(&reference, lr, &expected);
    run_steps(&net, lr, &got);
    double first = net_error(got.outputs[0], expected.outputs[0], 22), last = 0;
    for (int step = 0; step < STEPS; step++)
        last = fmax(last, net_error(got.outputs[step], expected.outputs[step], 22));
    double moved =
        drift(got.params, expected.params, i3d_model_values(net.model), reference.graph.floats);
    print_message("%d channels, %s: logits of the first step within %.1e, of all %.1e; parameters "
                  "within %.1e of their way\n",
                  channels, tuned ? "fine-tuning" : "all layers", first, last, moved);
    assert_true(first <= 1e-4);
    assert_true(last <= 1e-2);
    assert_true(moved <= (kind == I3D_ADAM ? 5e-2 : 1e-3));
    struct applied applied;
    assert_ok(engine_cuda.applied(net.plan, &applied));
    assert_int_equal(applied.step, STEPS - 1); /* a download waits for it */
    assert_false(applied.skipped);
    memory_free(expected.params);
    memory_free(expected.moments);
    memory_free(got.params);
    memory_free(got.moments);
    net_free(&reference);
    net_free(&net);
}

static void twenty_steps_of_rgb_follow_the_reference_engine(void **state)
{
    (void)state;
    follow(3, false, I3D_SGD);
}

static void twenty_steps_of_flow_follow_the_reference_engine(void **state)
{
    (void)state;
    follow(2, false, I3D_ADAM);
}

static void fine_tuning_follows_the_reference_engine(void **state)
{
    (void)state;
    follow(3, true, I3D_ADAM);
    follow(2, true, I3D_SGD);
}

static void a_whole_step_is_its_parts(void **state)
{
    (void)state;
    static const struct unit units[] = {
        { UNIT_CONV, "a", { 7, 7, 7 }, { 2, 2, 2 }, .channels = { 16 } },
        { UNIT_MIXED, "Mixed_x", .channels = { 16, 16, 24, 16, 16, 16 } },
        { UNIT_HEAD, .name = "logits" }
    };
    struct net model = net_make(units, 3, &options, 2, (int[]){ 8, 14, 12 });
    struct net parts = make_twin(&model, I3D_PRECISION_F32);
    struct net whole = make_twin(&model, I3D_PRECISION_F32);
    const int labels[] = { 0, 1 };
    struct range all = { 0, model.graph.floats };
    float *a = net_floats(all.count), *b = net_floats(all.count);
    double losses[5];
    net_plan_both(1, &parts, &whole);
    for (int step = 0; step < 5; step++) {
        int count = step == 3 ? 1 : 2; /* one batch is not full */
        struct update update = { .step = step, .lr = 1e-3, .clips = count, .bn_momentum = .1 };
        struct applied applied;
        assert_ok(engine_cuda.step(whole.plan, count, whole.data, labels, whole.keep, &update));
        assert_ok(engine_cuda.applied(whole.plan, &applied));
        assert_int_equal(applied.step, step ? step - 1 : 0); /* one late, but for the first */
        if (step > 1)
            assert_float_equal(applied.loss, losses[step - 1], 1e-5);
        assert_ok(engine_cuda.forward(parts.plan, count, parts.data, parts.keep, parts.output));
        update.loss = losses[step] = draw_loss(parts.output, count, parts.output_gradient) / count;
        assert_ok(engine_cuda.backward(parts.plan, parts.output_gradient, NULL));
        assert_ok(engine_cuda.apply(parts.plan, &update));
    }
    assert_ok(engine_cuda.download(parts.plan, PLAN_PARAMS, all, a));
    assert_ok(engine_cuda.download(whole.plan, PLAN_PARAMS, all, b));
    assert_true(drift(b, a, i3d_model_values(model.model), all.count) <= 1e-4);
    struct applied applied;
    assert_ok(engine_cuda.applied(whole.plan, &applied));
    assert_int_equal(applied.step, 4);
    assert_float_equal(applied.loss, losses[4], 1e-5);
    memory_free(a);
    memory_free(b);
    net_free(&model);
    net_free(&parts);
    net_free(&whole);
}

/* 2^24 overflows float16: the scale is halved, step by step, until nothing does; then it learns. */
static void float16_finds_its_loss_scale(void **state)
{
    (void)state;
    static const struct unit units[] = {
        { UNIT_CONV, "a", { 3, 3, 3 }, { 1, 1, 1 }, .channels = { 16 } },
        { UNIT_HEAD, .name = "logits" }
    };
    struct net model = net_make(units, 2, &options, 2, (int[]){ 4, 7, 6 });
    struct net net = make_twin(&model, I3D_PRECISION_F16);
    net.request.optimizer = (struct optimizer){ .kind = I3D_SGD, .momentum = .9 };
    net_draw_params(net.model, 1);
    net_plan(&net, 1);
    float *params = net_floats(net.graph.floats);
    int skipped = 0, rescaled = 0;
    for (int step = 0; step < 30; step++) {
        net_step(&net);
        assert_ok(engine_cuda.apply(
            net.plan, &(struct update){ .step = step, .lr = 1e-3, .clips = 2, .bn_momentum = .1 }));
        struct applied applied;
        assert_ok(engine_cuda.applied(net.plan, &applied));
        skipped += applied.skipped;
        rescaled += applied.rescaled;
        if (step > 25)
            assert_false(applied.skipped);
    }
    print_message("%d of 30 steps were skipped\n", skipped);
    assert_true(skipped > 0 && rescaled == skipped);
    assert_ok(
        engine_cuda.download(net.plan, PLAN_PARAMS, (struct range){ 0, net.graph.floats }, params));
    assert_true(net_error(params, i3d_model_values(net.model), net.graph.floats) > 1e-4);
    memory_free(params);
    net_free(&model);
    net_free(&net);
}

static void a_card_that_is_too_small_says_what_fits(void **state)
{
    (void)state;
    struct net model = make_network(3, 8, (int[]){ 16, 64, 64 });
    struct net net = make_twin(&model, I3D_PRECISION_BF16);
    card_host_room = 260000000;
    assert_int_equal(net_try_plan(&net), I3D_ENOMEM);
    print_message("%s\n", i3d_error());
    const char *fits = strstr(i3d_error(), "a batch of ");
    fits = fits ? strstr(fits + 1, "a batch of ") : NULL;
    assert_non_null(fits);
    assert_int_equal(sscanf(fits, "a batch of %d fits", &net.request.batch), 1);
    assert_true(net.request.batch >= 1 && net.request.batch < 8);
    assert_ok(net_try_plan(&net)); /* what is promised is kept */
    engine_cuda.free(net.plan);
    card_host_room = 20000000;
    assert_int_equal(net_try_plan(&net), I3D_ENOMEM);
    assert_non_null(strstr(i3d_error(), "not one clip fits"));
    card_host_room = SIZE_MAX;
    net_free(&model);
    net_free(&net);
}

static void a_plan_survives_a_lack_of_memory(void **state)
{
    (void)state;
    static const struct unit units[] = {
        { UNIT_CONV, "a", { 3, 3, 3 }, { 1, 1, 1 }, .channels = { 16 } },
        { UNIT_HEAD, .name = "logits" }
    };
    struct net model = net_make(units, 2, &options, 1, (int[]){ 4, 7, 6 });
    struct net net = make_twin(&model, I3D_PRECISION_BF16);
    long n = 1;
    i3d_status status;
    do {
        memory_fail_at(n++);
        status = net_try_plan(&net);
        memory_fail_at(0);
        assert_true(status == I3D_OK || status == I3D_ENOMEM);
        assert_true(status == I3D_OK || !net.plan);
    } while (status != I3D_OK);
    print_message("%ld requests\n", n - 2);
    assert_true(n > 10);
    net_free(&model);
    net_free(&net);
}

static void refuses_what_it_cannot_run(void **state)
{
    (void)state;
    static const struct unit odd[] = {
        { UNIT_CONV, "a", { 3, 3, 3 }, { 1, 1, 1 }, .channels = { 20 } },
        { UNIT_HEAD, .name = "logits" }
    };
    struct net model = net_make(odd, 2, &options, 1, (int[]){ 4, 7, 6 });
    struct net net = make_twin(&model, I3D_PRECISION_F32);
    assert_int_equal(net_try_plan(&net), I3D_EUNSUPPORTED);
    assert_non_null(strstr(i3d_error(), "multiples of 8"));
    net.request.precision = I3D_PRECISION_F32_F64;
    assert_int_equal(net_try_plan(&net), I3D_EUNSUPPORTED);
    assert_non_null(strstr(i3d_error(), "no float64"));
    net_free(&model);
    net_free(&net);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_computes_what_the_reference_engine_does),
        cmocka_unit_test(the_whole_network_gives_the_same_logits),
        cmocka_unit_test(a_profile_names_what_does_the_work),
        cmocka_unit_test(a_batch_that_is_not_full_trains_as_a_smaller_one),
        cmocka_unit_test(a_whole_step_is_its_parts),
        cmocka_unit_test(float16_finds_its_loss_scale),
        cmocka_unit_test(a_card_that_is_too_small_says_what_fits),
        cmocka_unit_test(a_plan_survives_a_lack_of_memory),
        cmocka_unit_test(refuses_what_it_cannot_run),
        cmocka_unit_test(twenty_steps_of_rgb_follow_the_reference_engine),
        cmocka_unit_test(twenty_steps_of_flow_follow_the_reference_engine),
        cmocka_unit_test(fine_tuning_follows_the_reference_engine),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
