#include "train/learner.h"

#include "base/failure.h"
#include "base/memory.h"
#include "base/random.h"
#include "train/loss.h"

#include <math.h>
#include <string.h>

/* A batch norm keeps its statistics running unless it is frozen: not trained, with freeze_bn. */
static void freeze(struct learner *learner, bool freeze_bn)
{
    for (int i = 0; i < learner->graph.op_count; i++) {
        const struct op *op = &learner->graph.ops[i];
        int gamma = op->params[I3D_PARAM_GAMMA];
        learner->frozen[i] = gamma >= 0 && freeze_bn && !learner->trained[gamma];
    }
}

static i3d_status plan(struct learner *learner, const i3d_train_options *options)
{
    i3d_status status;
    struct plan_request request = {
        .graph = &learner->graph,
        .batch = options->batch,
        .precision = options->precision,
        .purpose = PLAN_TRAINING,
        .threads = options->threads,
        .trained = learner->trained,
        .frozen = learner->frozen,
        .optimizer = learner->optimizer,
    };
    TRY(engine_find_device(options->engine, &learner->engine, &request.device));
    TRY(learner->engine->plan(&request, &learner->plan));
out:
    return status;
}

/* Gradients on a card are nobody's to add up yet. */
static i3d_status check_place(const struct learner *learner)
{
    const struct engine *engine = learner->engine;
    if (learner->comm->size == 1 ||
        engine->array(learner->plan, PLAN_GRADIENTS).kind == MEMORY_HOST)
        return I3D_OK;
    return failure(I3D_EUNSUPPORTED,
                   "several processes cannot train on cards yet, for their gradients are there: "
                   "start one process, or choose --device cpu instead of '%s'",
                   engine->name);
}

i3d_status learner_create(i3d_model *model, const i3d_train_options *options, struct comm *comm,
                          struct learner *out)
{
    i3d_status status;
    size_t batch = (size_t)options->batch;
    *out = (struct learner){
        .model = model,
        .comm = comm,
        .optimizer = { .kind = options->optimizer,
                       .momentum = options->momentum,
                       .weight_decay = options->weight_decay,
                       .mindspore = options->mindspore },
        .bn_momentum = options->bn_momentum,
        .dropout_keep = options->dropout_keep,
        .seed = options->seed,
    };
    TRY(graph_create(model, options->clip.frames, options->clip.size, options->clip.size,
                     &out->graph));
    const struct op *head = &out->graph.ops[out->graph.op_count - 1];
    size_t logits = batch * (size_t)out->graph.classes;
    out->features = value_floats(&out->graph.values[head->out]);
    TRY(memory_get((size_t)out->graph.param_count, sizeof(bool), &out->trained));
    TRY(i3d_train_select(model, options->prefixes, out->trained));
    freeze(out, options->freeze_bn);
    TRY(plan(out, options));
    TRY(check_place(out));
    TRY(learner_load(out));
    TRY(memory_get(logits, sizeof(float), &out->logits));
    TRY(memory_get(logits, sizeof(float), &out->logits_gradient));
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
    memory_free(learner->trained);
    memory_free(learner->logits);
    memory_free(learner->logits_gradient);
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

/* Gradients that are final are added up over all processes while the pass goes on. */
static i3d_status reduce_ready(void *context, struct range range)
{
    struct learner *learner = context;
    struct array part = learner->engine->array(learner->plan, PLAN_GRADIENTS);
    part.data = (float *)part.data + range.begin;
    part.count = range.count;
    return comm_reduce(learner->comm, part);
}

static i3d_status compute(struct learner *learner, const i3d_batch *batch, long epoch)
{
    const struct engine *engine = learner->engine;
    const struct ready ready = { .call = reduce_ready, .context = learner };
    const float *keep = draw_dropout(learner, batch, epoch);
    i3d_status status;
    TRY(engine->forward(learner->plan, batch->count, batch->data, keep, learner->logits));
    learner->sums.loss = loss_cross_entropy(learner->logits, batch->labels, batch->count,
                                            learner->graph.classes, learner->logits_gradient);
    learner->sums.clips = batch->count;
    TRY(engine->backward(learner->plan, learner->logits_gradient, &ready));
    TRY(comm_reduce(learner->comm, (struct array){ .data = &learner->sums,
                                                   .count = sizeof learner->sums / sizeof(double),
                                                   .dtype = I3D_F64 }));
    TRY(comm_wait(learner->comm));
out:
    return status;
}

/* The step it tells of may be an earlier one, so its loss is not this one's. */
static i3d_status check_applied(const struct learner *learner, struct applied *out)
{
    i3d_status status = learner->engine->applied(learner->plan, out);
    if (status != I3D_OK || !out->skipped || out->rescaled)
        return status;
    if (!isfinite(out->loss))
        return failure(I3D_EINVAL,
                       "the loss is not finite (%g): give a smaller learning rate than %g, or "
                       "weights that are finite",
                       out->loss, learner->lr);
    const i3d_param *param = &learner->graph.params[out->param];
    return failure(I3D_EINVAL,
                   "the %s of '%s' is not finite: give a smaller learning rate than %g, or a "
                   "larger batch",
                   param->role == I3D_PARAM_VARIANCE ? "batch's variance" : "gradient", param->name,
                   learner->lr);
}

/* All of it where the engine computes; the loss that is told is that of the step before. */
static i3d_status step_there(struct learner *learner, const i3d_batch *batch, long epoch, long step,
                             struct learner_report *out)
{
    const struct update update = {
        .step = step, .lr = learner->lr, .clips = batch->count, .bn_momentum = learner->bn_momentum
    };
    struct applied applied;
    i3d_status status;
    TRY(learner->engine->step(learner->plan, batch->count, batch->data, batch->labels,
                              draw_dropout(learner, batch, epoch), &update));
    TRY(check_applied(learner, &applied));
    out->clips = batch->count;
    out->loss = applied.loss;
    out->gradient_norm = applied.gradient_norm;
out:
    return status;
}

i3d_status learner_step(struct learner *learner, const i3d_batch *batch, long epoch, long step,
                        double lr, struct learner_report *out)
{
    i3d_status status;
    struct applied applied;
    *out = (struct learner_report){ 0 };
    learner->lr = lr;
    if (!batch->count && learner->comm->size == 1)
        return I3D_OK;
    if (learner->engine->step && learner->comm->size == 1)
        return step_there(learner, batch, epoch, step, out);
    TRY(compute(learner, batch, epoch));
    out->clips = (int)learner->sums.clips;
    out->loss = learner->sums.loss / learner->sums.clips;
    TRY(learner->engine->apply(learner->plan,
                               &(struct update){ .step = step,
                                                 .lr = lr,
                                                 .clips = learner->sums.clips,
                                                 .loss = out->loss,
                                                 .bn_momentum = learner->bn_momentum }));
    TRY(check_applied(learner, &applied));
    out->gradient_norm = applied.gradient_norm;
out:
    return status;
}

size_t learner_trained_floats(const struct learner *learner)
{
    size_t floats = 0;
    for (int p = 0; p < learner->graph.param_count; p++)
        floats += learner->trained[p] ? learner->graph.params[p].count : 0;
    return floats;
}

i3d_status learner_save(struct learner *learner)
{
    struct applied applied;
    i3d_status status;
    TRY(learner->engine->download(learner->plan, PLAN_PARAMS,
                                  (struct range){ 0, learner->graph.floats },
                                  i3d_model_data(learner->model)));
    TRY(check_applied(learner, &applied)); /* now the last step is known about too */
out:
    return status;
}

i3d_status learner_load(struct learner *learner)
{
    return learner->engine->upload(learner->plan, PLAN_PARAMS,
                                   (struct range){ 0, learner->graph.floats },
                                   i3d_model_values(learner->model));
}

static const enum plan_array moment_arrays[OPTIMIZER_MOMENTS_MAX] = { PLAN_MOMENT_1,
                                                                      PLAN_MOMENT_2 };

i3d_status learner_read_moment(struct learner *learner, int moment, const i3d_param *param,
                               float *out)
{
    return learner->engine->download(learner->plan, moment_arrays[moment],
                                     (struct range){ param->offset, param->count }, out);
}

i3d_status learner_write_moment(struct learner *learner, int moment, const i3d_param *param,
                                const float *from)
{
    return learner->engine->upload(learner->plan, moment_arrays[moment],
                                   (struct range){ param->offset, param->count }, from);
}
