/* The reference engine against PyTorch in float64: each operation forward and backward, and the
 * whole network. tests/golden/model/make.py made the files and has the same table of cases. */
#include "unit/engine/net.h"

#include "base/file.h"

/* In front of every unit, so that the gradient of the unit's input is seen in this one's. */
static const struct unit first = { UNIT_CONV, "a", { 1, 1, 1 }, { 1, 1, 1 }, .channels = { 3 } };

static const struct golden_case {
    const char *name;
    int size[3];
    struct unit unit;
    i3d_head head;
    bool frozen;
} cases[] = {
    { "conv_7x7x7",
      { 5, 9, 8 },
      { UNIT_CONV, "b", { 7, 7, 7 }, { 2, 2, 2 }, .channels = { 2 } },
      I3D_HEAD_AVG,
      false },
    { "conv_3x3x3",
      { 3, 5, 7 },
      { UNIT_CONV, "b", { 3, 3, 3 }, { 1, 1, 1 }, .channels = { 5 } },
      I3D_HEAD_AVG,
      false },
    { "conv_strided",
      { 4, 7, 9 },
      { UNIT_CONV, "b", { 3, 5, 4 }, { 2, 3, 2 }, .channels = { 4 } },
      I3D_HEAD_AVG,
      false },
    { "conv_1x1x1",
      { 2, 3, 4 },
      { UNIT_CONV, "b", { 1, 1, 1 }, { 1, 1, 1 }, .channels = { 9 } },
      I3D_HEAD_AVG,
      false },
    { "conv_frozen",
      { 3, 5, 6 },
      { UNIT_CONV, "b", { 3, 3, 3 }, { 1, 1, 1 }, .channels = { 4 } },
      I3D_HEAD_AVG,
      true },
    { "pool_1x3x3",
      { 3, 7, 8 },
      { UNIT_POOL, "b", { 1, 3, 3 }, .stride = { 1, 2, 2 } },
      I3D_HEAD_AVG,
      false },
    { "pool_3x3x3",
      { 5, 6, 7 },
      { UNIT_POOL, "b", { 3, 3, 3 }, .stride = { 2, 2, 2 } },
      I3D_HEAD_AVG,
      false },
    { "pool_2x2x2",
      { 5, 6, 7 },
      { UNIT_POOL, "b", { 2, 2, 2 }, .stride = { 2, 2, 2 } },
      I3D_HEAD_AVG,
      false },
    { "mixed",
      { 3, 5, 6 },
      { UNIT_MIXED, "Mixed_x", .channels = { 3, 2, 4, 1, 2, 3 } },
      I3D_HEAD_AVG,
      false },
    { "head_avg", { 5, 3, 4 }, { UNIT_HEAD, .name = "logits" }, I3D_HEAD_AVG, false },
    { "head_avg_1", { 1, 4, 3 }, { UNIT_HEAD, .name = "logits" }, I3D_HEAD_AVG, false },
    { "head_max", { 5, 3, 4 }, { UNIT_HEAD, .name = "logits" }, I3D_HEAD_MAX, false },
};

struct golden {
    const char *name;
    float *floats, *next;
    size_t left;
};

static struct golden golden_open(const char *name)
{
    char path[512];
    size_t bytes;
    struct golden golden = { .name = name };
    snprintf(path, sizeof path, "%s/model/%s.f32", I3D_GOLDEN, name);
    assert_ok(file_read(path, (uint8_t **)&golden.floats, &bytes));
    golden.next = golden.floats;
    golden.left = bytes / sizeof(float);
    return golden;
}

static const float *golden_take(struct golden *golden, size_t count)
{
    if (count > golden->left)
        fail_msg("%s: too short", golden->name);
    const float *floats = golden->next;
    golden->next += count;
    golden->left -= count;
    return floats;
}

static void golden_close(struct golden *golden)
{
    assert_int_equal(golden->left, 0);
    memory_free(golden->floats);
}

static void assert_close(const char *name, const char *what, const float *a, const float *b,
                         size_t count, double bound)
{
    double error = net_error(a, b, count);
    if (!(error <= bound))
        fail_msg("%s: %s is %.2g from PyTorch's, more than %.2g", name, what, error, bound);
}

static void check_case(const struct golden_case *at, i3d_precision precision)
{
    const struct unit units[2] = { first, at->unit };
    i3d_model_options options = {
        .channels = 2, .classes = 4, .head = at->head, .bn_epsilon = 1e-3
    };
    struct net net = net_make(units, 2, &options, 2, at->size);
    static const bool frozen[GRAPH_OPS_MAX] = { true, true };
    struct golden golden = golden_open(at->name);
    size_t params = i3d_model_data_count(net.model);
    size_t clips = 2 * net_clip_floats(&net), outputs = net_output_floats(&net);
    memcpy(i3d_model_data(net.model), golden_take(&golden, params), params * sizeof(float));
    net.request.precision = precision;
    net.request.frozen = at->frozen ? frozen : NULL;
    net_plan(&net, 1);
    memcpy(net.data, golden_take(&golden, clips), clips * sizeof(float));
    if (net.keep)
        memcpy(net.keep, golden_take(&golden, net_feature_floats(&net)),
               net_feature_floats(&net) * sizeof(float));
    memcpy(net.output_gradient, golden_take(&golden, outputs), outputs * sizeof(float));
    net_step(&net);
    assert_close(at->name, "the output", net.output, golden_take(&golden, outputs), outputs, 2e-6);
    for (size_t p = 0; p < i3d_model_param_count(net.model); p++) {
        const i3d_param *param = i3d_model_param(net.model, p);
        assert_close(at->name, param->name, net_gradient(&net, param),
                     golden_take(&golden, param->count), param->count, 1e-5);
    }
    golden_close(&golden);
    net_free(&net);
}

static void every_operation_computes_what_pytorch_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_case(&cases[i], I3D_PRECISION_F32);
        check_case(&cases[i], I3D_PRECISION_F32_F64);
    }
}

enum { SEED = 1 }; /* make_network()'s */

/* Patches of 2 x 16 x 16 and noise, as make_network() of make.py. */
static void draw_patches(struct net *net)
{
    const struct value *clip = &net->graph.values[0];
    int t = (clip->t + 1) / 2, h = (clip->h + 15) / 16, w = (clip->w + 15) / 16;
    int planes = net->request.batch * clip->channels;
    size_t coarse_floats = (size_t)planes * (size_t)(t * h * w), i = 0;
    size_t noise_floats = (size_t)planes * (size_t)clip->t * (size_t)(h * w * 256);
    float *coarse = net_floats(coarse_floats), *noise = net_floats(noise_floats);
    net_draw(SEED, 2, 0, -1, 1, coarse, coarse_floats);
    net_draw(SEED, 2, 1, -1, 1, noise,
             (size_t)planes * value_floats(clip) / (size_t)clip->channels);
    for (int plane = 0; plane < planes; plane++)
        for (int a = 0; a < clip->t; a++)
            for (int b = 0; b < clip->h; b++)
                for (int c = 0; c < clip->w; c++, i++) {
                    int patch = ((plane * t + a / 2) * h + b / 16) * w + c / 16;
                    net->data[i] = (float)(.7 * coarse[patch] + .3 * noise[i]);
                }
    memory_free(coarse);
    memory_free(noise);
}

/* The norm of a gradient and a few of its elements. */
static void check_gradient(struct golden *golden, const i3d_param *param, const float *gradient)
{
    enum { SAMPLES = 4 };
    double norm = *golden_take(golden, 1), typical = norm / sqrt((double)param->count);
    const float *samples = golden_take(golden, SAMPLES);
    if (!(fabs(net_norm(gradient, param->count) - norm) <= 1e-4 * norm))
        fail_msg("%s: norm of the gradient %g, not %g", param->name,
                 net_norm(gradient, param->count), norm);
    for (size_t i = 0; i < SAMPLES; i++) {
        float ours = gradient[param->count * i / SAMPLES];
        if (!(fabs(ours - samples[i]) <= 1e-4 * fmax(fabs(samples[i]), typical)))
            fail_msg("%s: gradient %g, not %g", param->name, ours, samples[i]);
    }
}

static void the_whole_network_computes_what_pytorch_does(void **state)
{
    (void)state;
    i3d_model_options options = { .channels = 3, .classes = 6, .bn_epsilon = 1e-3 };
    const int size[3] = { 9, 41, 33 };
    struct net net = net_make(network_units, network_unit_count, &options, 2, size);
    struct golden golden = golden_open("network");
    size_t outputs = net_output_floats(&net);
    net_draw_params(net.model, SEED);

    net.request.purpose = PLAN_INFERENCE;
    net_plan(&net, 1);
    draw_patches(&net);
    net_forward(&net);
    assert_close("network", "inference", net.output, golden_take(&golden, outputs), outputs, 1e-6);

    struct net training = {
        .engine = net.engine, .model = net.model, .graph = net.graph, .request = net.request
    };
    /* The maps behind have so few elements that their statistics would blow up rounding. */
    bool frozen[GRAPH_OPS_MAX];
    for (int i = 0; i < net.graph.op_count; i++)
        frozen[i] = strcmp(net.graph.ops[i].name, "Mixed_4") > 0;
    training.request.purpose = PLAN_TRAINING;
    training.request.frozen = frozen;
    net_plan(&training, SEED);
    memcpy(training.data, net.data, 2 * net_clip_floats(&net) * sizeof(float));
    net_step(&training);
    assert_close("network", "training", training.output, golden_take(&golden, outputs), outputs,
                 1e-5);
    for (size_t p = 0; p < i3d_model_param_count(net.model); p++) {
        const i3d_param *param = i3d_model_param(net.model, p);
        check_gradient(&golden, param, net_gradient(&training, param));
    }
    golden_close(&golden);
    net.model = NULL;
    net_free(&net);
    net_free(&training);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_computes_what_pytorch_does),
        cmocka_unit_test(the_whole_network_computes_what_pytorch_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
