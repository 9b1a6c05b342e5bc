/* Small networks for tests of engines: drawn parameters and clips, a plan, one training step. */
#ifndef TESTS_UNIT_ENGINE_NET_H
#define TESTS_UNIT_ENGINE_NET_H

#include "test.h"

#include "base/memory.h"
#include "base/random.h"
#include "engine/engine.h"
#include "model/model.h"

#include <math.h>

struct net {
    const struct engine *engine;
    i3d_model *model;
    struct graph graph;
    struct plan_request request; /* fill in what differs from the default before net_plan() */
    struct plan *plan;
    float *data, *keep, *output_gradient;   /* drawn by net_plan(); no mask without a head */
    float *output, *gradients, *statistics; /* of net_step() */
};

static inline float *net_floats(size_t count)
{
    float *floats;
    assert_ok(memory_get(count, sizeof *floats, &floats));
    return floats;
}

/* Uniform in [low, high); tests/golden/model/make.py draws the same. */
static inline void net_draw(uint64_t seed, uint64_t stream, uint64_t index, double low, double high,
                            float *out, size_t count)
{
    struct random random = random_for(seed, (enum random_purpose)stream, 0, index);
    for (size_t i = 0; i < count; i++)
        out[i] = (float)(low + (high - low) * random_unit(&random));
}

/* Weights by fan in, batch norms as in the midst of training. */
static inline void net_draw_params(i3d_model *model, uint64_t seed)
{
    for (size_t p = 0; p < i3d_model_param_count(model); p++) {
        const i3d_param *param = i3d_model_param(model, p);
        float *data = i3d_model_data(model) + param->offset;
        double fan = (double)param->count / (double)param->shape[0], low = -.3, high = .3;
        if (param->role == I3D_PARAM_WEIGHT) {
            high = sqrt(6 / fan);
            low = -high;
        } else if (param->role == I3D_PARAM_GAMMA || param->role == I3D_PARAM_VARIANCE) {
            low = .5;
            high = 1.5;
        }
        net_draw(seed, 1, p, low, high, data, param->count);
    }
}

static inline size_t net_clip_floats(const struct net *net)
{
    return value_floats(&net->graph.values[0]);
}

static inline size_t net_output_floats(const struct net *net)
{
    return (size_t)net->request.batch * graph_output_floats(&net->graph);
}

static inline size_t net_feature_floats(const struct net *net)
{
    const struct graph *graph = &net->graph;
    return (size_t)net->request.batch * value_floats(&graph->values[graph->value_count - 1]);
}

static inline bool net_has_head(const struct net *net)
{
    const struct graph *graph = &net->graph;
    return graph->ops[graph->op_count - 1].kind == OP_HEAD;
}

/* A network of `units` for training on the reference engine with sums in float64. */
static inline struct net net_make(const struct unit *units, int count,
                                  const i3d_model_options *options, int batch, const int size[3])
{
    struct net net = { 0 };
    assert_ok(engine_find("reference", &net.engine));
    assert_ok(model_create(units, count, options, &net.model));
    net.request = (struct plan_request){ .batch = batch,
                                         .precision = I3D_PRECISION_F32_F64,
                                         .purpose = PLAN_TRAINING };
    assert_ok(graph_create(net.model, size[0], size[1], size[2], &net.graph));
    return net;
}

/* The model's parameters, all or one, into the plan. */
static inline i3d_status net_upload(struct net *net)
{
    return net->engine->upload(net->plan, PLAN_PARAMS, (struct range){ 0, net->graph.floats },
                               i3d_model_values(net->model));
}

static inline i3d_status net_upload_param(struct net *net, const i3d_param *param)
{
    return net->engine->upload(net->plan, PLAN_PARAMS,
                               (struct range){ param->offset, param->count },
                               i3d_model_values(net->model) + param->offset);
}

static inline i3d_status net_try_plan(struct net *net)
{
    net->request.graph = &net->graph;
    return net->engine->plan(&net->request, &net->plan);
}

static inline void net_plan(struct net *net, uint64_t seed)
{
    size_t clips = (size_t)net->request.batch * net_clip_floats(net);
    size_t outputs = net_output_floats(net), features = net_feature_floats(net);
    assert_ok(net_try_plan(net));
    assert_ok(net_upload(net));
    net->data = net_floats(clips);
    net->output_gradient = net_floats(outputs);
    net->output = net_floats(outputs);
    net->gradients = net_floats(net->graph.floats);
    net->statistics = net_floats(net->graph.statistics);
    net_draw(seed, 2, 0, -1, 1, net->data, clips);
    net_draw(seed, 3, 0, -1, 1, net->output_gradient, outputs);
    if (!net_has_head(net))
        return;
    net->keep = net_floats(features);
    net_draw(seed, 4, 0, 0, 1, net->keep, features);
    for (size_t i = 0; i < features; i++)
        net->keep[i] = net->keep[i] < .5f ? 2 : 0;
}

/* What a step gave for a parameter: its gradient, or of a running statistic the batch's. */
static inline const float *net_gradient(const struct net *net, const i3d_param *param)
{
    for (int i = 0; i < net->graph.op_count; i++) {
        const struct op *op = &net->graph.ops[i];
        if (op->norm && param->offset == graph_param(&net->graph, op, I3D_PARAM_MEAN)->offset)
            return net->statistics + op->statistics;
        if (op->norm && param->offset == graph_param(&net->graph, op, I3D_PARAM_VARIANCE)->offset)
            return net->statistics + op->statistics + op->channels;
    }
    return net->gradients + param->offset;
}

static inline void net_forward(struct net *net)
{
    const float *keep = net->request.purpose == PLAN_TRAINING ? net->keep : NULL;
    assert_ok(net->engine->forward(net->plan, net->request.batch, net->data, keep, net->output));
}

static inline void net_backward(struct net *net, const float *output_gradient)
{
    assert_ok(net->engine->backward(net->plan, output_gradient, NULL));
    assert_ok(net->engine->download(net->plan, PLAN_GRADIENTS,
                                    (struct range){ 0, net->graph.floats }, net->gradients));
    assert_ok(net->engine->download(net->plan, PLAN_STATISTICS,
                                    (struct range){ 0, net->graph.statistics }, net->statistics));
}

static inline void net_step(struct net *net)
{
    net_forward(net);
    net_backward(net, net->output_gradient);
}

static inline void net_free(struct net *net)
{
    if (net->engine)
        net->engine->free(net->plan);
    i3d_model_free(net->model);
    memory_free(net->data);
    memory_free(net->keep);
    memory_free(net->output_gradient);
    memory_free(net->output);
    memory_free(net->gradients);
    memory_free(net->statistics);
}

static inline double net_norm(const float *a, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)a[i] * a[i];
    return sqrt(sum);
}

/* Norm of the difference over the norm of the expected `b`. */
static inline double net_error(const float *a, const float *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    return sum > 0 ? sqrt(sum) / fmax(net_norm(b, count), 1e-30) : sum;
}

/* The sum of the outputs, each times its gradient. */
static inline double net_loss(struct net *net)
{
    double sum = 0;
    net_forward(net);
    for (size_t i = 0; i < net_output_floats(net); i++)
        sum += (double)net->output[i] * net->output_gradient[i];
    return sum;
}

/* The slope of the loss when all of one parameter moves along `direction`. */
static inline double net_slope(struct net *net, const i3d_param *param, const float *direction,
                               float step)
{
    float *data = i3d_model_data(net->model) + param->offset, *kept = net_floats(param->count);
    double ends[2];
    memcpy(kept, data, param->count * sizeof *kept);
    for (int end = 0; end < 2; end++) {
        for (size_t i = 0; i < param->count; i++)
            data[i] = kept[i] + (end ? step : -step) * direction[i];
        assert_ok(net_upload_param(net, param));
        ends[end] = net_loss(net);
    }
    memcpy(data, kept, param->count * sizeof *kept);
    assert_ok(net_upload_param(net, param));
    memory_free(kept);
    return (ends[1] - ends[0]) / (2 * (double)step);
}

/* After net_step(): the gradient of every parameter, none of which is zero, is the slope of the
 * loss along a drawn direction, measured over two `step`s. */
static inline void net_check_slopes(struct net *net, float step)
{
    for (size_t p = 0; p < i3d_model_param_count(net->model); p++) {
        const i3d_param *param = i3d_model_param(net->model, p);
        if (param->role == I3D_PARAM_MEAN || param->role == I3D_PARAM_VARIANCE)
            continue;
        float *direction = net_floats(param->count);
        double expected = 0, scale = 0;
        net_draw(5, 1, p, -1, 1, direction, param->count);
        for (size_t i = 0; i < param->count; i++) {
            double term = (double)direction[i] * net_gradient(net, param)[i];
            expected += term;
            scale += fabs(term);
        }
        double measured = net_slope(net, param, direction, step);
        assert_true(scale > 0);
        if (!(fabs(measured - expected) <= 1e-2 * scale))
            fail_msg("%s: the slope is %g, the gradient says %g", param->name, measured, expected);
        memory_free(direction);
    }
}

/* The same network as `of`, for an engine under test. */
static inline struct net net_twin(const struct net *of, const struct engine *engine,
                                  i3d_precision precision)
{
    struct net net = { .engine = engine, .graph = of->graph, .request = of->request };
    assert_ok(
        model_create(of->model->units, of->model->unit_count, &of->model->options, &net.model));
    net.graph.params = net.model->params;
    net.request.precision = precision;
    return net;
}

/* With the same parameters and clips. */
static inline void net_plan_both(uint64_t seed, struct net *reference, struct net *net)
{
    net_draw_params(reference->model, seed);
    net_draw_params(net->model, seed);
    net_plan(reference, seed);
    net_plan(net, seed);
}

static inline void net_assert_near(const char *name, const char *what, const float *a,
                                   const float *b, size_t count, double bound)
{
    double error = net_error(a, b, count);
    if (!(error <= bound))
        fail_msg("%s: %s is off by %g, more than %g", name, what, error, bound);
}

/* Each parameter's, and the statistics. */
static inline void net_assert_gradients_near(const char *name, const struct net *net,
                                             const struct net *reference, double bound)
{
    for (size_t p = 0; p < i3d_model_param_count(net->model); p++) {
        const i3d_param *param = i3d_model_param(net->model, p);
        net_assert_near(name, param->name, net_gradient(net, param), net_gradient(reference, param),
                        param->count, bound);
    }
}

/* Plans both and does a step: outputs within 1e-5, gradients near; whether these are within 1e-4.
 * Frees both. */
static inline bool net_same_step(const char *name, uint64_t seed, struct net *reference,
                                 struct net *net)
{
    bool close = true;
    net_plan_both(seed, reference, net);
    net_step(reference);
    net_step(net);
    net_assert_near(name, "the output", net->output, reference->output, net_output_floats(net),
                    1e-5);
    for (size_t p = 0; p < i3d_model_param_count(net->model); p++) {
        const i3d_param *param = i3d_model_param(net->model, p);
        const float *a = net_gradient(net, param), *b = net_gradient(reference, param);
        net_assert_near(name, param->name, a, b, param->count, .1);
        close = close && net_error(a, b, param->count) <= 1e-4;
    }
    net_free(reference);
    net_free(net);
    return close;
}

#endif
