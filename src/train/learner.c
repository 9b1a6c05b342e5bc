#include "train/learner.h"

#include "base/failure.h"
#include "base/memory.h"
#include "base/random.h"
#include "train/loss.h"

#include <assert.h>
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

static i3d_status join(void *context, struct array array)
{
    return comm_sum(context, array);
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
    if (learner->joins)
        request.join = (struct join){ .sum = join, .context = learner->comm };
    TRY(engine_find_device(options->engine, &learner->engine, &request.device));
    TRY(learner->engine->plan(&request, &learner->plan));
out:
    return status;
}

/* Everything whose gradient is needed, from the last parameter to the first. */
static void fill_buckets(struct learner *learner)
{
    const struct graph *graph = &learner->graph;
    const size_t most = 4 * graph->floats / BUCKETS_MAX;
    struct bucket *bucket = NULL;
    for (int p = graph->param_count; p-- > 0;) {
        const i3d_param *param = &graph->params[p];
        bool running = param->role == I3D_PARAM_MEAN || param->role == I3D_PARAM_VARIANCE;
        if (!learner->trained[p] || running)
            continue;
        size_t whole = bucket ? bucket->range.begin + bucket->range.count - param->offset : 0;
        if (!bucket || whole > most) {
            bucket = &learner->buckets[learner->bucket_count++];
            *bucket = (struct bucket){ 0 };
            whole = param->count;
        }
        bucket->range = (struct range){ param->offset, whole };
        bucket->floats += param->count;
    }
}

/* What is needed where a step's clips are not all in one batch of one process. */
static i3d_status plan_sums(struct learner *learner)
{
    i3d_status status = I3D_OK;
    bool shared = learner->comm->size > 1 || learner->parts > 1;
    enum memory_kind kind = learner->engine->array(learner->plan, PLAN_GRADIENTS).kind;
    fill_buckets(learner);
    if (shared && kind != MEMORY_HOST)
        return failure(I3D_EUNSUPPORTED,
                       "several processes, or several batches a step, cannot train on cards yet, "
                       "for their gradients are there: start one process with --accumulate 1, or "
                       "choose --device cpu instead of '%s'",
                       learner->engine->name);
    if (learner->parts > 1)
        TRY(memory_get(learner->graph.floats, sizeof(float), &learner->earlier));
    if (shared)
        TRY(memory_get(learner->graph.statistics, sizeof(float), &learner->statistics));
out:
    return status;
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
        .joins = options->sync_bn && comm->size > 1,
        .parts = options->accumulate > 1 ? options->accumulate : 1,
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
    TRY(plan_sums(out));
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
    memory_free(learner->earlier);
    memory_free(learner->statistics);
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

static struct array gradients_of(struct learner *learner, struct range range)
{
    struct array part = learner->engine->array(learner->plan, PLAN_GRADIENTS);
    part.data = (float *)part.data + range.begin;
    part.count = range.count;
    return part;
}

static void add(const float *from, size_t count, float *to)
{
    for (size_t i = 0; i < count; i++)
        to[i] += from[i];
}

/* Begins the sums of those that are final, in an order that all processes have. */
static i3d_status begin_sums(struct learner *learner)
{
    i3d_status status = I3D_OK;
    for (; learner->begun < learner->bucket_count; learner->begun++) {
        const struct bucket *bucket = &learner->buckets[learner->begun];
        struct array gradients = gradients_of(learner, bucket->range);
        if (bucket->missing)
            break;
        if (learner->part)
            add(learner->earlier + bucket->range.begin, bucket->range.count, gradients.data);
        TRY(comm_reduce(learner->comm, gradients));
    }
out:
    return status;
}

/* Gradients that are final are added up over all processes while the pass goes on. */
static i3d_status note_ready(void *context, struct range range)
{
    struct learner *learner = context;
    for (int b = learner->begun; b < learner->bucket_count; b++) {
        struct bucket *bucket = &learner->buckets[b];
        if (range.begin >= bucket->range.begin &&
            range.begin < bucket->range.begin + bucket->range.count)
            bucket->missing -= range.count;
    }
    return begin_sums(learner);
}

static void expect_all(struct learner *learner, bool missing)
{
    learner->begun = 0;
    for (int b = 0; b < learner->bucket_count; b++)
        learner->buckets[b].missing = missing ? learner->buckets[b].floats : 0;
}

/* Gradients of one batch in the plan, and its loss. */
static i3d_status compute(struct learner *learner, const i3d_batch *batch, long epoch, bool last)
{
    const struct engine *engine = learner->engine;
    const struct ready ready = { .call = note_ready, .context = learner };
    const float *keep = draw_dropout(learner, batch, epoch);
    i3d_status status;
    TRY(engine->forward(learner->plan, batch->count, batch->data, keep, learner->logits));
    learner->sums.loss += loss_cross_entropy(learner->logits, batch->labels, batch->count,
                                             learner->graph.classes, learner->logits_gradient);
    learner->sums.clips += batch->count;
    TRY(engine->backward(learner->plan, learner->logits_gradient, last ? &ready : NULL));
    assert(!last || learner->begun == learner->bucket_count);
out:
    return status;
}

/* Without clips there is nothing to compute, unless other processes' norms ask for it. */
static i3d_status compute_none(struct learner *learner, bool last)
{
    struct array all = gradients_of(learner, (struct range){ 0, learner->graph.floats });
    memset(all.data, 0, all.count * sizeof(float));
    expect_all(learner, false);
    return last ? begin_sums(learner) : I3D_OK;
}

/* What a part leaves for the last one. */
static void keep_part(struct learner *learner, int clips, bool last)
{
    struct range all = { 0, learner->graph.floats };
    struct array statistics = learner->engine->array(learner->plan, PLAN_STATISTICS);
    const float *gradients = gradients_of(learner, all).data, *seen = statistics.data;
    if (!last && !learner->part)
        memcpy(learner->earlier, gradients, all.count * sizeof *gradients);
    else if (!last)
        add(gradients, all.count, learner->earlier);
    if (!learner->part && learner->statistics)
        memset(learner->statistics, 0, statistics.count * sizeof(float));
    for (size_t i = 0; learner->statistics && clips && i < statistics.count; i++)
        learner->statistics[i] += (float)clips * seen[i];
}

i3d_status learner_add(struct learner *learner, const i3d_batch *batch, long epoch, bool last)
{
    i3d_status status;
    bool alone = learner->comm->size == 1 && learner->parts == 1;
    if (!learner->part)
        learner->sums = (struct learner_sums){ 0 };
    if (alone && !batch->count)
        return I3D_OK;
    if (alone && learner->engine->step) { /* which wants all at once */
        learner->there = batch;
        learner->epoch = epoch;
        learner->sums.clips = batch->count;
        return I3D_OK;
    }
    expect_all(learner, true);
    if (batch->count || learner->joins)
        TRY(compute(learner, batch, epoch, last));
    else
        TRY(compute_none(learner, last));
    keep_part(learner, batch->count, last);
    learner->part = last ? 0 : learner->part + 1;
out:
    if (status != I3D_OK)
        i3d_comm_abandon(learner->comm);
    return status;
}

/* The mean of the parts' statistics by their clips, into the plan. */
static void average_statistics(struct learner *learner)
{
    struct array statistics = learner->engine->array(learner->plan, PLAN_STATISTICS);
    float *mean = statistics.data;
    for (size_t i = 0; learner->statistics && i < statistics.count; i++)
        mean[i] = learner->statistics[i] / (float)learner->sums.clips;
}

/* Ends the sums that were begun, and does those that have to wait for the last part. */
static i3d_status end_sums(struct learner *learner)
{
    i3d_status status;
    TRY(comm_reduce(learner->comm, (struct array){ .data = &learner->sums,
                                                   .count = sizeof learner->sums / sizeof(double),
                                                   .dtype = I3D_F64 }));
    if (learner->statistics)
        TRY(comm_reduce(learner->comm, (struct array){ .data = learner->statistics,
                                                       .count = learner->graph.statistics,
                                                       .dtype = I3D_F32 }));
    TRY(comm_wait(learner->comm));
    average_statistics(learner);
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
static i3d_status step_there(struct learner *learner, long step, struct applied *applied)
{
    const i3d_batch *batch = learner->there;
    const struct update update = {
        .step = step, .lr = learner->lr, .clips = batch->count, .bn_momentum = learner->bn_momentum
    };
    i3d_status status;
    TRY(learner->engine->step(learner->plan, batch->count, batch->data, batch->labels,
                              draw_dropout(learner, batch, learner->epoch), &update));
    TRY(check_applied(learner, applied));
    learner->sums.loss = applied->loss * batch->count;
out:
    return status;
}

static i3d_status step_here(struct learner *learner, long step, struct applied *applied)
{
    i3d_status status;
    TRY(learner->engine->apply(learner->plan,
                               &(struct update){ .step = step,
                                                 .lr = learner->lr,
                                                 .clips = learner->sums.clips,
                                                 .loss = learner->sums.loss / learner->sums.clips,
                                                 .bn_momentum = learner->bn_momentum }));
    TRY(check_applied(learner, applied));
out:
    return status;
}

i3d_status learner_step(struct learner *learner, long step, double lr, bool stop,
                        struct learner_report *out)
{
    i3d_status status;
    struct applied applied = { .step = step };
    *out = (struct learner_report){ .step = step };
    learner->lr = lr;
    learner->sums.stop = stop;
    TRY(end_sums(learner));
    out->stop = learner->sums.stop > 0;
    out->clips = (int)learner->sums.clips;
    if (!out->clips)
        return I3D_OK;
    status = (learner->there ? step_there : step_here)(learner, step, &applied);
    out->step = applied.step;
    TRY(status);
    out->loss = learner->sums.loss / learner->sums.clips;
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

static i3d_status share(struct learner *learner, float *floats, size_t count)
{
    return comm_broadcast(learner->comm,
                          (struct array){ .data = floats, .count = count, .dtype = I3D_F32 }, 0);
}

static i3d_status share_moment(struct learner *learner, int moment, float *floats)
{
    const struct engine *engine = learner->engine;
    const struct range all = { 0, learner->graph.floats };
    i3d_status status;
    TRY(engine->download(learner->plan, moment_arrays[moment], all, floats));
    TRY(share(learner, floats, all.count));
    TRY(engine->upload(learner->plan, moment_arrays[moment], all, floats));
out:
    return status;
}

i3d_status learner_share(struct learner *learner)
{
    i3d_status status;
    float *floats = NULL;
    TRY(memory_get(learner->graph.floats, sizeof *floats, &floats));
    TRY(share(learner, i3d_model_data(learner->model), learner->graph.floats));
    TRY(learner_load(learner));
    for (int m = 0; m < optimizer_moment_count(&learner->optimizer); m++)
        TRY(share_moment(learner, m, floats));
out:
    memory_free(floats);
    return status;
}
