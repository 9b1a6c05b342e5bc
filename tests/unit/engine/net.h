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
    struct plan_request request; /* fill in what differs from the default before net_plan() */
    struct plan *plan;
    float *data, *keep, *output_grad; /* drawn by net_plan(); no mask without a head */
    float *output, *grads;
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
        if (param->kind == I3D_PARAM_WEIGHT) {
            high = sqrt(6 / fan);
            low = -high;
        } else if (param->kind == I3D_PARAM_GAMMA || param->kind == I3D_PARAM_VARIANCE) {
            low = .5;
            high = 1.5;
        }
        net_draw(seed, 1, p, low, high, data, param->count);
    }
}

static inline size_t net_clip_floats(const struct net *net)
{
    return value_floats(&net->request.graph.values[0]);
}

static inline size_t net_output_floats(const struct net *net)
{
    return (size_t)net->request.batch * graph_output_floats(&net->request.graph);
}

static inline size_t net_feature_floats(const struct net *net)
{
    const struct graph *graph = &net->request.graph;
    return (size_t)net->request.batch * value_floats(&graph->values[graph->value_count - 1]);
}

static inline bool net_has_head(const struct net *net)
{
    const struct graph *graph = &net->request.graph;
    return graph->ops[graph->op_count - 1].kind == OP_HEAD;
}

/* A network of `units` for training on the reference engine with sums in float64. */
static inline struct net net_make(const struct unit *units, int count,
                                  const i3d_model_options *options, int batch, const int size[3])
{
    struct net net = { 0 };
    assert_ok(engine_find("reference", &net.engine));
    assert_ok(model_create(units, count, options, &net.model));
    net.request = (struct plan_request){
        .model = net.model, .batch = batch, .precision = I3D_PRECISION_F32_F64, .training = true
    };
    assert_ok(graph_create(net.model, size[0], size[1], size[2], &net.request.graph));
    return net;
}

static inline void net_plan(struct net *net, uint64_t seed)
{
    size_t clips = (size_t)net->request.batch * net_clip_floats(net);
    size_t outputs = net_output_floats(net), features = net_feature_floats(net);
    assert_ok(net->engine->plan(&net->request, &net->plan));
    assert_ok(net->engine->load(net->plan));
    net->data = net_floats(clips);
    net->output_grad = net_floats(outputs);
    net->output = net_floats(outputs);
    net->grads = net_floats(i3d_model_data_count(net->model));
    net_draw(seed, 2, 0, -1, 1, net->data, clips);
    net_draw(seed, 3, 0, -1, 1, net->output_grad, outputs);
    if (!net_has_head(net))
        return;
    net->keep = net_floats(features);
    net_draw(seed, 4, 0, 0, 1, net->keep, features);
    for (size_t i = 0; i < features; i++)
        net->keep[i] = net->keep[i] < .5f ? 2 : 0;
}

static inline void net_forward(struct net *net)
{
    const float *keep = net->request.training ? net->keep : NULL;
    assert_ok(net->engine->forward(net->plan, net->request.batch, net->data, keep, net->output));
}

static inline void net_step(struct net *net)
{
    net_forward(net);
    assert_ok(net->engine->backward(net->plan, net->output_grad, net->grads));
}

static inline void net_free(struct net *net)
{
    if (net->engine)
        net->engine->free(net->plan);
    i3d_model_free(net->model);
    memory_free(net->data);
    memory_free(net->keep);
    memory_free(net->output_grad);
    memory_free(net->output);
    memory_free(net->grads);
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

#endif
