/* The cpu engine against the reference engine: operations, the whole network, and laws.
 *
 * Gradients of a whole network are not smooth: where two elements of a pool's window or an element
 * and the ReLU's 0 lie nearer than the rounding, another one wins and whole gradients jump. So they
 * are held to be close for most parameters and near for all. */
#include "unit/engine/net.h"

#include "engine/cpu/plan.h"
#include "engine/cpu/primitive.h"
#include "tensor/half.h"

/* The same network, parameters and clips on the engine under test. */
static struct net make_twin(const struct net *of, const char *name, i3d_precision precision)
{
    const struct engine *engine;
    assert_ok(engine_find(name, &engine));
    return net_twin(of, engine, precision);
}

static void plan_both(struct net *reference, struct net *net)
{
    net_plan_both(1, reference, net);
}

static const i3d_model_options options = { .channels = 3, .classes = 11, .bn_epsilon = 1e-3 };

/* One convolution, then one unit whose input's gradient is seen in the first one's. */
static const struct small_case {
    const char *name;
    int channels, size[3];
    struct unit units[2];
} small_cases[] = {
    { "stem",
      3,
      { 9, 17, 20 },
      { { UNIT_CONV, "a", { 7, 7, 7 }, { 2, 2, 2 }, .channels = { 64 } },
        { UNIT_POOL, "b", { 1, 3, 3 }, .stride = { 1, 2, 2 } } } },
    { "stem of flow",
      2,
      { 9, 17, 20 },
      { { UNIT_CONV, "a", { 7, 7, 7 }, { 2, 2, 2 }, .channels = { 64 } },
        { UNIT_CONV, "b", { 1, 1, 1 }, { 1, 1, 1 }, .channels = { 16 } } } },
    { "3x3x3",
      16,
      { 5, 9, 11 },
      { { UNIT_CONV, "a", { 1, 1, 1 }, { 1, 1, 1 }, .channels = { 32 } },
        { UNIT_CONV, "b", { 3, 3, 3 }, { 1, 1, 1 }, .channels = { 48 } } } },
    { "channels that fill no block",
      3,
      { 5, 9, 11 },
      { { UNIT_CONV, "a", { 3, 3, 3 }, { 1, 1, 1 }, .channels = { 24 } },
        { UNIT_CONV, "b", { 3, 3, 3 }, { 1, 1, 1 }, .channels = { 20 } } } },
    { "pool 3x3x3",
      3,
      { 5, 9, 11 },
      { { UNIT_CONV, "a", { 3, 3, 3 }, { 1, 1, 1 }, .channels = { 32 } },
        { UNIT_POOL, "b", { 3, 3, 3 }, .stride = { 1, 1, 1 } } } },
    { "pool 3x3x3 by 2",
      3,
      { 5, 9, 12 },
      { { UNIT_CONV, "a", { 3, 3, 3 }, { 1, 1, 1 }, .channels = { 32 } },
        { UNIT_POOL, "b", { 3, 3, 3 }, .stride = { 2, 2, 2 } } } },
    { "pool 2x2x2",
      3,
      { 5, 9, 12 },
      { { UNIT_CONV, "a", { 3, 3, 3 }, { 1, 1, 1 }, .channels = { 32 } },
        { UNIT_POOL, "b", { 2, 2, 2 }, .stride = { 2, 2, 2 } } } },
    { "pool of long rows",
      3,
      { 2, 4, 150 },
      { { UNIT_CONV, "a", { 3, 3, 3 }, { 1, 1, 1 }, .channels = { 16 } },
        { UNIT_POOL, "b", { 1, 3, 5 }, .stride = { 1, 2, 3 } } } },
    { "Inception block",
      3,
      { 5, 9, 11 },
      { { UNIT_CONV, "a", { 3, 3, 3 }, { 1, 1, 1 }, .channels = { 32 } },
        { UNIT_MIXED, "Mixed_x", .channels = { 32, 16, 48, 24, 16, 64 } } } },
    { "head",
      3,
      { 6, 5, 4 },
      { { UNIT_CONV, "a", { 3, 3, 3 }, { 1, 1, 1 }, .channels = { 32 } },
        { UNIT_HEAD, .name = "logits" } } },
};

/* A number so near 0 that rounding decides whether the ReLU lets it through, or two maxima as near
 * to each other, change a small map's gradients visibly. Of so many draws one must have none. */
enum { DRAWS = 6 };

/* Whether the gradients are close; near they must be. */
static bool check_small(const struct small_case *at, i3d_head head, bool frozen, uint64_t seed)
{
    i3d_model_options wanted = options;
    bool bn_frozen[GRAPH_OPS_MAX];
    memset(bn_frozen, frozen, sizeof bn_frozen);
    wanted.channels = at->channels;
    wanted.head = head;
    struct net reference = net_make(at->units, 2, &wanted, 2, at->size);
    reference.request.frozen = bn_frozen;
    struct net net = make_twin(&reference, "cpu", I3D_PRECISION_F32);
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
            if (!close)
                fail_msg("%s: no draw has gradients within 1e-4", small_cases[i].name);
        }
}

static struct net make_network(int batch, i3d_head head, const int size[3])
{
    i3d_model_options wanted = options;
    wanted.head = head;
    return net_make(network_units, network_unit_count, &wanted, batch, size);
}

/* Whether nine in ten parameters are close; near all must be. */
static bool are_gradients_close(const struct net *net, const struct net *reference)
{
    size_t params = i3d_model_param_count(net->model), close = 0;
    for (size_t p = 0; p < params; p++) {
        const i3d_param *param = i3d_model_param(net->model, p);
        const float *a = net_gradient(net, param), *b = net_gradient(reference, param);
        net_assert_near("the network", param->name, a, b, param->count, .1);
        close += net_error(a, b, param->count) <= 1e-4;
    }
    print_message("%zu of %zu gradients are within 1e-4\n", close, params);
    return close >= params * 9 / 10;
}

static void the_whole_network_gives_the_same_logits(void **state)
{
    (void)state;
    for (int head = 0; head < 2; head++) {
        struct net reference = make_network(1, (i3d_head)head, (int[]){ 10, 49, 65 });
        reference.request.purpose = PLAN_INFERENCE;
        struct net net = make_twin(&reference, "cpu", I3D_PRECISION_F32);
        plan_both(&reference, &net);
        net_forward(&reference);
        net_forward(&net);
        net_assert_near("the network", "the logits", net.output, reference.output,
                        net_output_floats(&net), 1e-5);
        net_free(&reference);
        net_free(&net);
    }
}

static bool check_gradients(uint64_t seed)
{
    bool frozen[GRAPH_OPS_MAX];
    memset(frozen, true, sizeof frozen);
    struct net reference = make_network(2, I3D_HEAD_AVG, (int[]){ 10, 49, 65 });
    reference.request.frozen = frozen;
    struct net net = make_twin(&reference, "cpu", I3D_PRECISION_F32);
    net_plan_both(seed, &reference, &net);
    net_step(&reference);
    net_step(&net);
    net_assert_near("the network", "the logits", net.output, reference.output,
                    net_output_floats(&net), 1e-5);
    bool close = are_gradients_close(&net, &reference);
    net_free(&reference);
    net_free(&net);
    return close;
}

static void the_whole_network_gives_the_same_gradients(void **state)
{
    (void)state;
    bool close = false;
    for (uint64_t seed = 1; seed <= DRAWS && !close; seed++)
        close = check_gradients(seed);
    assert_true(close);
}

/* Fine-tuning: Mixed_5 and the logits are trained; the batch norms before them are `frozen`. The
 * clips are so large that a norm in Mixed_5 sees some dozens of positions: of fewer it multiplies
 * what rounding leaves. */
static bool check_fine_tuning(bool frozen_before, uint64_t seed)
{
    bool trained[512] = { false }, frozen[GRAPH_OPS_MAX] = { false };
    struct net reference = make_network(2, I3D_HEAD_AVG, (int[]){ 16, 96, 96 });
    struct graph *graph = &reference.graph;
    for (size_t p = 0; p < i3d_model_param_count(reference.model); p++) {
        const char *path = i3d_model_param(reference.model, p)->name;
        trained[p] = strncmp(path, "Mixed_5", 7) == 0 || strncmp(path, "logits", 6) == 0;
    }
    for (int i = 0; i < graph->op_count; i++)
        frozen[i] = frozen_before && strncmp(graph->ops[i].name, "Mixed_5", 7) != 0;
    reference.request.trained = trained;
    reference.request.frozen = frozen;
    struct net net = make_twin(&reference, "cpu", I3D_PRECISION_F32);
    net_plan_both(seed, &reference, &net);
    net_step(&reference);
    net_step(&net);
    net_assert_near("fine-tuning", "the logits", net.output, reference.output,
                    net_output_floats(&net), 1e-4);
    for (size_t p = 0; p < i3d_model_param_count(net.model); p++) {
        const i3d_param *param = i3d_model_param(net.model, p);
        if (net_norm(net_gradient(&reference, param), param->count) == 0)
            net_assert_near("fine-tuning", param->name, net_gradient(&net, param),
                            net_gradient(&reference, param), param->count, 0);
    }
    bool close = are_gradients_close(&net, &reference);
    net_free(&reference);
    net_free(&net);
    return close;
}

static void fine_tuning_leaves_what_is_frozen(void **state)
{
    (void)state;
    for (int frozen = 0; frozen < 2; frozen++) {
        bool close = false;
        for (uint64_t seed = 1; seed <= DRAWS && !close; seed++)
            close = check_fine_tuning(frozen, seed);
        assert_true(close);
    }
}

/* In a batch of N the clips are N batches of 1; a plan for more clips than it gets, the same. */
static void a_clip_does_not_see_its_neighbours(void **state)
{
    (void)state;
    struct net net = make_network(3, I3D_HEAD_AVG, (int[]){ 8, 32, 40 });
    net.request.purpose = PLAN_INFERENCE;
    struct net batch = make_twin(&net, "cpu", I3D_PRECISION_F32);
    net_draw_params(batch.model, 1);
    net_plan(&batch, 1);
    net_forward(&batch);
    for (int n = 0; n < 3; n++) {
        float logits[11];
        const float *clip = batch.data + (size_t)n * net_clip_floats(&batch);
        assert_ok(batch.engine->forward(batch.plan, 1, clip, NULL, logits));
        assert_memory_equal(logits, batch.output + n * 11, sizeof logits);
    }
    net_free(&net);
    net_free(&batch);
}

static void a_batch_that_is_not_full_trains_as_a_smaller_one(void **state)
{
    (void)state;
    static const struct unit units[] = {
        { UNIT_CONV, "a", { 3, 3, 3 }, { 1, 1, 1 }, .channels = { 24 } },
        { UNIT_MIXED, "Mixed_x", .channels = { 16, 16, 32, 24, 16, 32 } },
        { UNIT_HEAD, .name = "logits" }
    };
    struct net reference = net_make(units, 3, &options, 2, (int[]){ 4, 7, 6 });
    struct net net = make_twin(&reference, "cpu", I3D_PRECISION_F32);
    net.request.batch = 5;
    plan_both(&reference, &net);
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

static void the_same_step_gives_the_same_bits(void **state)
{
    (void)state;
    struct net model = make_network(1, I3D_HEAD_AVG, (int[]){ 8, 48, 48 });
    struct net a = make_twin(&model, "cpu", I3D_PRECISION_F32);
    struct net b = make_twin(&model, "cpu", I3D_PRECISION_F32);
    plan_both(&a, &b);
    net_step(&a);
    net_step(&b);
    net_step(&b); /* what a step leaves does not matter to the next */
    assert_memory_equal(a.output, b.output, net_output_floats(&a) * sizeof(float));
    assert_memory_equal(a.gradients, b.gradients, i3d_model_data_count(a.model) * sizeof(float));
    net_free(&model);
    net_free(&a);
    net_free(&b);
}

static void takes_changed_parameters(void **state)
{
    (void)state;
    struct net reference = make_network(1, I3D_HEAD_AVG, (int[]){ 8, 32, 32 });
    reference.request.purpose = PLAN_INFERENCE;
    struct net net = make_twin(&reference, "cpu", I3D_PRECISION_F32);
    net_draw_params(net.model, 2);
    net_plan(&net, 1);
    net_draw_params(reference.model, 1);
    net_draw_params(net.model, 1);
    net_plan(&reference, 1);
    assert_ok(net_upload(&net));
    net_forward(&reference);
    net_forward(&net);
    net_assert_near("the network", "the logits", net.output, reference.output, 11, 1e-5);
    net_free(&reference);
    net_free(&net);
}

/* A step brings only what it changed into oneDNN's formats: weights that are not trained and change
 * behind the plan's back are not looked at again, whether their norms follow the batch or not. */
static void check_loads(bool norms_frozen)
{
    struct net net = make_network(2, I3D_HEAD_AVG, (int[]){ 8, 32, 32 });
    bool trained[GRAPH_PARAMS_MAX] = { false }, frozen[GRAPH_OPS_MAX];
    memset(frozen, norms_frozen, sizeof frozen);
    assert_ok(engine_find("cpu", &net.engine));
    net.request.precision = I3D_PRECISION_F32;
    net.request.frozen = frozen;
    net.request.trained = trained;
    for (int p = 0; p < net.graph.param_count; p++)
        trained[p] = strncmp(net.graph.params[p].name, "Mixed_5c", 8) == 0;
    net_draw_params(net.model, 1);
    net_plan(&net, 1);
    float before[2 * 11];
    net_forward(&net);
    memcpy(before, net.output, sizeof before);
    net_backward(&net, net.output_gradient);
    for (int p = 0; p < net.graph.param_count; p++)
        assert_false(net.plan->state.changed[p]);
    assert_ok(net.engine->apply(net.plan, &(struct update){ .lr = 0, .clips = 2 }));
    for (int p = 0; p < net.graph.param_count; p++)
        if (net.graph.params[p].role == I3D_PARAM_WEIGHT)
            assert_int_equal(net.plan->state.changed[p], trained[p]);
    const i3d_param *stem = i3d_model_find_param(net.model, "Conv3d_1a_7x7.weight");
    for (size_t i = 0; i < stem->count; i++)
        net.plan->state.params[stem->offset + i] = 0;
    net_forward(&net);
    assert_memory_equal(net.output, before, sizeof before);
    for (size_t i = 0; i < stem->count; i++)
        net.model->data[stem->offset + i] = 0;
    assert_ok(net_upload_param(&net, stem));
    net_forward(&net);
    assert_memory_not_equal(net.output, before, sizeof before);
    net_free(&net);
}

static void what_did_not_change_is_not_loaded_again(void **state)
{
    (void)state;
    check_loads(true);
    check_loads(false);
}

static void inference_takes_whole_operations(void **state)
{
    (void)state;
    struct net net = make_network(1, I3D_HEAD_AVG, (int[]){ 8, 32, 32 });
    assert_ok(engine_find("cpu", &net.engine));
    net.request.precision = I3D_PRECISION_F32;
    net.request.purpose = PLAN_INFERENCE;
    net_plan(&net, 1);
    const i3d_param *gamma = i3d_model_find_param(net.model, "Mixed_4c_b0.gamma");
    assert_fails(net_upload_param(&net, gamma), I3D_EINVAL, "whole operations");
    const i3d_param *logits = i3d_model_find_param(net.model, "logits.weight");
    assert_ok(net.engine->upload(
        net.plan, PLAN_PARAMS, (struct range){ logits->offset, net.graph.floats - logits->offset },
        net.model->data + logits->offset));
    net_free(&net);
}

static void a_parameter_that_is_no_number_is_seen(void **state)
{
    (void)state;
    for (int training = 0; training < 2; training++) {
        struct net model = make_network(1, I3D_HEAD_AVG, (int[]){ 8, 32, 32 });
        model.request.purpose = training ? PLAN_TRAINING : PLAN_INFERENCE;
        struct net net = make_twin(&model, "cpu", I3D_PRECISION_F32);
        net_draw_params(net.model, 1);
        net_plan(&net, 1);
        const i3d_param *param = i3d_model_find_param(net.model, "Mixed_4c_b0.weight");
        net.model->data[param->offset] = NAN;
        if (training) {
            assert_ok(net_upload(&net));
            net_forward(&net);
            assert_true(isnan(net.output[0]));
        } else {
            assert_fails(net_upload(&net), I3D_EFORMAT, "'Mixed_4c_b0' is not a finite");
        }
        net_free(&model);
        net_free(&net);
    }
}

/* In front of what is trained convolutions run as in inference, with the ReLU that takes a NaN for
 * 0. */
static void an_overflow_in_front_of_what_is_trained_is_seen(void **state)
{
    (void)state;
    struct net model = make_network(1, I3D_HEAD_AVG, (int[]){ 8, 32, 32 });
    bool trained[GRAPH_PARAMS_MAX] = { false }, frozen[GRAPH_OPS_MAX];
    memset(frozen, true, sizeof frozen);
    for (size_t p = 0; p < i3d_model_param_count(model.model); p++)
        trained[p] = strcmp(i3d_model_param(model.model, p)->unit, "logits") == 0;
    model.request.trained = trained;
    model.request.frozen = frozen;
    struct net net = make_twin(&model, "cpu", I3D_PRECISION_F32);
    net_draw_params(net.model, 1);
    net_plan(&net, 1);
    net_forward(&net);
    assert_true(fabsf(net.output[0]) < INFINITY);
    const i3d_param *beta = i3d_model_find_param(net.model, "Mixed_4c_b1b.beta");
    for (size_t c = 0; c < beta->count; c++)
        net.model->data[beta->offset + c] = c % 2 ? 3e38f : 1e38f;
    assert_ok(net_upload(&net));
    net_forward(&net);
    assert_true(!(fabsf(net.output[0]) < INFINITY));
    net_free(&model);
    net_free(&net);
}

/* Every one of bfloat16's five best is among the reference's five best, or as good within 2e-2. */
static void assert_same_top(const float *logits, const float *expected, int classes, double scale)
{
    for (int k = 0; k < classes; k++) {
        int better = 0, expected_better = 0;
        for (int other = 0; other < classes; other++) {
            better += logits[other] > logits[k];
            expected_better += expected[other] > expected[k] + 2e-2 * scale;
        }
        if (better < 5)
            assert_in_range(expected_better, 0, 4);
    }
}

static bool lacks_bf16(void)
{
    return isa_best() != ISA_AVX512;
}

static void skip_without_bf16(void)
{
    if (!lacks_bf16())
        return;
    print_message("no AVX-512 here: nothing to compare\n");
    skip();
}

static void bfloat16_is_near(void **state)
{
    (void)state;
    skip_without_bf16();
    struct net reference = make_network(2, I3D_HEAD_AVG, (int[]){ 16, 64, 64 });
    reference.request.purpose = PLAN_INFERENCE;
    struct net net = make_twin(&reference, "cpu", I3D_PRECISION_BF16);
    plan_both(&reference, &net);
    net_forward(&reference);
    net_forward(&net);
    net_assert_near("bfloat16", "the logits", net.output, reference.output, net_output_floats(&net),
                    2e-2);
    double scale = net_norm(reference.output, 11) / sqrt(11);
    assert_same_top(net.output, reference.output, 11, scale);
    net_free(&reference);
    net_free(&net);
}

/* Of exact inputs only the results are rounded: weights of 1x1x1 are not, and those of a larger
 * kernel add up, where the input is constant and the window whole, but for half a unit of one. */
static void bfloat16_loses_little_of_the_weights(void **state)
{
    static const struct unit one = { UNIT_CONV, "a", { 1, 1, 1 }, { 1, 1, 1 }, .channels = { 32 } };
    static const struct unit three = {
        UNIT_CONV, "a", { 3, 3, 3 }, { 1, 1, 1 }, .channels = { 32 }
    };
    enum { SIZE = 5 };
    (void)state;
    skip_without_bf16();
    for (int large = 0; large < 2; large++) {
        i3d_model_options wanted = options;
        wanted.channels = 20;
        struct net reference =
            net_make(large ? &three : &one, 1, &wanted, 1, (int[]){ SIZE, SIZE, SIZE });
        reference.request.purpose = PLAN_INFERENCE;
        struct net net = make_twin(&reference, "cpu", I3D_PRECISION_BF16);
        plan_both(&reference, &net);
        for (size_t i = 0; i < net_clip_floats(&net); i++)
            net.data[i] = reference.data[i] = large ? 1 : roundf(net.data[i] * 64) / 64;
        net_forward(&reference);
        net_forward(&net);
        double slack = large ? 5e-4 : 5e-5;
        for (size_t i = 0; i < net_output_floats(&net); i++) {
            size_t x = i % SIZE, y = i / SIZE % SIZE, t = i / SIZE / SIZE % SIZE;
            bool whole = x % (SIZE - 1) && y % (SIZE - 1) && t % (SIZE - 1);
            double expected = reference.output[i];
            if (whole && fabs(net.output[i] - expected) > ldexp(expected, -8) + slack)
                fail_msg("%s: %g for %g", large ? "3x3x3" : "1x1x1", (double)net.output[i],
                         expected);
        }
        net_free(&reference);
        net_free(&net);
    }
}

static void bfloat16_clips_add_up_down_their_columns(void **state)
{
    enum { PLANES = 2, HEIGHT = 9, WIDTH = 21, COUNT = PLANES * HEIGHT * WIDTH };
    float from[COUNT];
    uint16_t to[COUNT];
    (void)state;
    skip_without_bf16();
    net_draw(1, 0, 0, -1, 1, from, COUNT);
    kernels_bf16_avx512.convert(PLANES, HEIGHT, WIDTH, from, to);
    for (int p = 0; p < PLANES; p++)
        for (int x = 0; x < WIDTH; x++) {
            double sum = 0, expected = 0;
            for (int y = 0; y < HEIGHT; y++) {
                int i = (p * HEIGHT + y) * WIDTH + x;
                sum += (double)bf16_to_float(to[i]);
                expected += (double)from[i];
                assert_true(fabs(sum - expected) <= ldexp(1, -8));
            }
        }
}

static void bfloat16_trains_nearly_the_same(void **state)
{
    (void)state;
    skip_without_bf16();
    for (size_t i = 0; i < sizeof small_cases / sizeof small_cases[0]; i++) {
        const struct small_case *at = &small_cases[i];
        i3d_model_options wanted = options;
        wanted.channels = at->channels;
        struct net reference = net_make(at->units, 2, &wanted, 2, at->size);
        struct net net = make_twin(&reference, "cpu", I3D_PRECISION_BF16);
        plan_both(&reference, &net);
        net_step(&reference);
        net_step(&net);
        net_assert_near(at->name, "the output", net.output, reference.output,
                        net_output_floats(&net), 2e-2);
        net_assert_gradients_near(at->name, &net, &reference, .15);
        net_free(&reference);
        net_free(&net);
    }
}

/* oneDNN's own fallback is two hundred times slower. */
static void no_convolution_of_i3d_falls_back(void **state)
{
    (void)state;
    static const struct {
        i3d_precision precision;
        bool training;
    } plans[] = { { I3D_PRECISION_F32, false },
                  { I3D_PRECISION_F32, true },
                  { I3D_PRECISION_BF16, false } };
    int count = lacks_bf16() ? 2 : 3;
    for (int plan = 0; plan < count; plan++) {
        struct net model = make_network(1, I3D_HEAD_AVG, (int[]){ 16, 64, 64 });
        model.request.purpose = plans[plan].training ? PLAN_TRAINING : PLAN_INFERENCE;
        struct net net = make_twin(&model, "cpu", plans[plan].precision);
        net_plan(&net, 1);
        for (int i = 0; i < net.graph.op_count; i++) {
            const struct convolution *convolution = &net.plan->steps[i].convolution;
            for (int pass = 0; pass < PASS_COUNT; pass++) {
                const struct provider *provider = convolution->passes[pass].provider;
                const void *of = convolution->passes[pass].state;
                if (provider && provider->is_slow(of))
                    fail_msg("pass %d of '%s' is %s's '%s'", pass, net.plan->steps[i].op->name,
                             provider->name, provider->kernel(of));
            }
        }
        net_free(&model);
        net_free(&net);
    }
}

static void gives_the_features_and_says_what_it_does_not_keep(void **state)
{
    (void)state;
    struct net reference = make_network(2, I3D_HEAD_AVG, (int[]){ 16, 32, 32 });
    reference.request.purpose = PLAN_INFERENCE;
    struct net net = make_twin(&reference, "cpu", I3D_PRECISION_F32);
    plan_both(&reference, &net);
    net_forward(&reference);
    net_forward(&net);
    int last = net.graph.value_count - 1;
    size_t count = net_feature_floats(&net);
    float *a = net_floats(count), *b = net_floats(count);
    assert_ok(net.engine->read_value(net.plan, last, a));
    assert_ok(reference.engine->read_value(reference.plan, last, b));
    net_assert_near("the network", "features", a, b, count, 1e-5);
    assert_fails(net.engine->read_value(net.plan, 1, a), I3D_EUNSUPPORTED, "Conv3d_1a_7x7");
    assert_fails(net.engine->read_value(net.plan, 0, a), I3D_EUNSUPPORTED, "the clip");
    memory_free(a);
    memory_free(b);
    net_free(&reference);
    net_free(&net);
}

static void says_what_it_cannot_run(void **state)
{
    (void)state;
    static const struct unit misaligned = { UNIT_MIXED, "Mixed_x",
                                            .channels = { 20, 16, 16, 16, 16, 16 } };
    static const struct unit pool = { UNIT_POOL, "pool", { 2, 2, 2 }, .stride = { 2, 2, 2 } };
    const struct unit *refused[] = { &misaligned, &pool };
    for (int i = 0; i < 2; i++) {
        struct net model = net_make(refused[i], 1, &options, 1, (int[]){ 4, 4, 4 });
        struct net net = make_twin(&model, "cpu", I3D_PRECISION_F32);
        assert_fails(net_try_plan(&net), I3D_EUNSUPPORTED, "multiples of");
        net.request.precision = I3D_PRECISION_F32_F64;
        assert_fails(net_try_plan(&net), I3D_EUNSUPPORTED, "float64");
        assert_null(net.plan);
        net_free(&model);
        net_free(&net);
    }
}

static void survives_a_lack_of_memory(void **state)
{
    (void)state;
    struct net model = net_make(small_cases[8].units, 2, &options, 1, small_cases[8].size);
    struct net net = make_twin(&model, "cpu", I3D_PRECISION_F32);
    for (long n = 1; n < 1000 && !net.plan; n++) {
        memory_fail_at(n);
        i3d_status status = net_try_plan(&net);
        memory_fail_at(0);
        assert_true(status == I3D_ENOMEM ? !net.plan : status == I3D_OK);
    }
    assert_non_null(net.plan);
    net_free(&model);
    net_free(&net);
}

/* Its argument is a pattern of the names to run. */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_computes_what_the_reference_engine_does),
        cmocka_unit_test(the_whole_network_gives_the_same_logits),
        cmocka_unit_test(the_whole_network_gives_the_same_gradients),
        cmocka_unit_test(fine_tuning_leaves_what_is_frozen),
        cmocka_unit_test(a_clip_does_not_see_its_neighbours),
        cmocka_unit_test(a_batch_that_is_not_full_trains_as_a_smaller_one),
        cmocka_unit_test(the_same_step_gives_the_same_bits),
        cmocka_unit_test(takes_changed_parameters),
        cmocka_unit_test(what_did_not_change_is_not_loaded_again),
        cmocka_unit_test(inference_takes_whole_operations),
        cmocka_unit_test(a_parameter_that_is_no_number_is_seen),
        cmocka_unit_test(an_overflow_in_front_of_what_is_trained_is_seen),
        cmocka_unit_test(bfloat16_is_near),
        cmocka_unit_test(bfloat16_loses_little_of_the_weights),
        cmocka_unit_test(bfloat16_clips_add_up_down_their_columns),
        cmocka_unit_test(bfloat16_trains_nearly_the_same),
        cmocka_unit_test(no_convolution_of_i3d_falls_back),
        cmocka_unit_test(gives_the_features_and_says_what_it_does_not_keep),
        cmocka_unit_test(says_what_it_cannot_run),
        cmocka_unit_test(survives_a_lack_of_memory),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
