#include "train/learner.h"

#include "base/failure.h"
#include "base/memory.h"
#include "base/random.h"
#include "train/loss.h"

#include <math.h>

/* A batch norm keeps its statistics running unless it is frozen: not trained, with freeze_bn. */
static void freeze(struct learner *learner, const struct graph *graph, bool freeze_bn,
                   bool *bn_frozen)
{
    for (int o = 0; o < graph->op_count; o++) {
        if (graph->ops[o].kind != OP_CONV)
            continue;
        int gamma = graph->ops[o].param + 1;
        bn_frozen[o] = freeze_bn && !learner->trained[gamma];
        for (int p = gamma + 2; p < gamma + 4; p++)
            learner->bn_running[p] = !bn_frozen[o];
    }
}

static i3d_status plan(struct learner *learner, const i3d_train_options *options)
{
    i3d_status status;
    struct plan_request request = {
        .model = learner->model,
        .batch = options->batch,
        .precision = options->precision,
        .training = true,
        .threads = options->threads,
        .trained = learner->trained,
    };
    bool bn_frozen[GRAPH_OPS_MAX] = { false };
    TRY(graph_create(learner->model, options->clip.frames, options->clip.size, options->clip.size,
                     &request.graph));
    freeze(learner, &request.graph, options->freeze_bn, bn_frozen);
    request.bn_frozen = bn_frozen;
    TRY(engine_find(options->engine, &learner->engine));
    TRY(learner->engine->plan(&request, &learner->plan));
    const struct op *head = &request.graph.ops[request.graph.op_count - 1];
    learner->features = value_floats(&request.graph.values[head->out]);
out:
    return status;
}

i3d_status learner_create(i3d_model *model, const i3d_train_options *options, struct learner *out)
{
    i3d_status status;
    size_t params = i3d_model_param_count(model), batch = (size_t)options->batch;
    *out = (struct learner){
        .model = model,
        .bn_momentum = options->bn_momentum,
        .dropout_keep = options->dropout_keep,
        .seed = options->seed,
        .classes = i3d_model_get_options(model)->classes,
    };
    size_t logits = batch * (size_t)out->classes;
    TRY(memory_get(params, sizeof(bool), &out->trained));
    TRY(memory_get(params, sizeof(bool), &out->bn_running));
    TRY(i3d_train_select(model, options->prefixes, out->trained));
    TRY(optimizer_create(model, out->trained, options, &out->optimizer));
    TRY(plan(out, options));
    TRY(memory_get(i3d_model_data_count(model), sizeof(float), &out->grads));
    TRY(memory_get(logits, sizeof(float), &out->logits));
    TRY(memory_get(logits, sizeof(float), &out->logits_grad));
    TRY(memory_get(batch * out->features, sizeof(float), &out->keep));
out:
    if (status != I3D_OK)
        learner_clear(out);
    return status;
}

void learner_clear(struct learner *learner)
{
    if (learner->engine)
        learner->engine->free(learner->plan);
    optimizer_clear(&learner->optimizer);
    memory_free(learner->trained);
    memory_free(learner->bn_running);
    memory_free(learner->grads);
    memory_free(learner->logits);
    memory_free(learner->logits_grad);
    memory_free(learner->keep);
    *learner = (struct learner){ 0 };
}

/* Inverted dropout: what is kept is scaled up, so that inference need not scale down. */
static const float *draw_dropout(struct learner *learner, const i3d_batch *batch, long epoch)
{
    float scale = (float)(1 / learner->dropout_keep), *keep = learner->keep;
    if (learner->dropout_keep >= 1)
        return NULL;
    for (int n = 0; n < batch->count; n++) {
        struct random random =
            random_for(learner->seed, RANDOM_DROPOUT, (uint64_t)epoch, (uint64_t)batch->videos[n]);
        for (size_t i = 0; i < learner->features; i++)
            *keep++ = random_unit(&random) < learner->dropout_keep ? scale : 0;
    }
    return learner->keep;
}

/* The norm of all trained gradients; the statistics in the other slots must be finite too. */
static i3d_status check_grads(const struct learner *learner, double lr, double *norm)
{
    double squares = 0;
    for (size_t p = 0; p < i3d_model_param_count(learner->model); p++) {
        const i3d_param *param = i3d_model_param(learner->model, p);
        const float *grad = learner->grads + param->offset;
        double sum = 0;
        for (size_t i = 0; i < param->count; i++)
            sum += (double)grad[i] * grad[i];
        if (!isfinite(sum))
            return failure(I3D_EINVAL,
                           "the gradient of '%s' is not finite: give a smaller learning rate than "
                           "%g, or a larger batch",
                           param->name, lr);
        if (learner->trained[p])
            squares += sum;
    }
    *norm = sqrt(squares);
    return I3D_OK;
}

static void update_running(struct learner *learner)
{
    float *data = i3d_model_data(learner->model), momentum = (float)learner->bn_momentum;
    for (size_t p = 0; p < i3d_model_param_count(learner->model); p++) {
        const i3d_param *param = i3d_model_param(learner->model, p);
        if (!learner->bn_running[p])
            continue;
        const float *batch = learner->grads + param->offset;
        float *running = data + param->offset;
        for (size_t i = 0; i < param->count; i++)
            running[i] = (1 - momentum) * running[i] + momentum * batch[i];
    }
}

i3d_status learner_step(struct learner *learner, const i3d_batch *batch, long epoch, long step,
                        double lr, struct learner_report *out)
{
    i3d_status status;
    const struct engine *engine = learner->engine;
    const float *keep = draw_dropout(learner, batch, epoch);
    *out = (struct learner_report){ 0 };
    if (!batch->count)
        return I3D_OK;
    TRY(engine->load(learner->plan));
    TRY(engine->forward(learner->plan, batch->count, batch->data, keep, learner->logits));
    out->loss = loss_cross_entropy(learner->logits, batch->labels, batch->count, learner->classes,
                                   learner->logits_grad);
    if (!isfinite(out->loss))
        return failure(I3D_EINVAL,
                       "the loss is not finite (%g): give a smaller learning rate than %g, or "
                       "weights that are finite",
                       out->loss, lr);
    TRY(engine->backward(learner->plan, learner->logits_grad, learner->grads));
    TRY(check_grads(learner, lr, &out->grad_norm));
    optimizer_step(&learner->optimizer, step, lr, learner->grads, i3d_model_data(learner->model));
    update_running(learner);
out:
    return status;
}
