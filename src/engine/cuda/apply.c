#include "engine/cuda/plan.h"

#include "base/failure.h"

#include <math.h>
#include <string.h>

/* From 2^24 to 1, and some. */
enum { RESCALED_MAX = 32 };

/* The check, the optimizer and the running statistics. `loss` is on the card; NULL: the input's. */
static void improve(struct plan *plan, const double *loss)
{
    const struct state *state = &plan->state;
    kernel_stream stream = card_stream(plan->card);
    struct step_result *result = span_at(plan, plan->results);
    struct check_args check = { .gradients = state->gradients,
                                .statistics = state->statistics,
                                .params = plan->trained,
                                .norms = plan->norms,
                                .input = plan->slot.input,
                                .loss = loss,
                                .workspace = span_at(plan, plan->check_scratch),
                                .scale = span_at(plan, plan->loss_scale),
                                .out = result };
    struct step_args step = { .optimizer = state->optimizer.kind,
                              .params = plan->trained,
                              .running = plan->running,
                              .params_data = state->params,
                              .gradients = state->gradients,
                              .statistics = state->statistics,
                              .input = plan->slot.input,
                              .result = result };
    memcpy(step.moments, state->moments, sizeof step.moments);
    kernel_check(stream, &check);
    kernel_step(stream, &step);
}

/* What became of it goes to the host, where it is looked at one step later. */
static i3d_status tell(struct plan *plan)
{
    return card_tell(plan->card, &plan->told[plan->applied % STEP_RESULTS],
                     span_at(plan, plan->results), sizeof *plan->told);
}

static struct step_input describe(const struct plan *plan, const struct update *update)
{
    return (struct step_input){ .step = update->step,
                                .factors = optimizer_factors(&plan->state.optimizer, update->step,
                                                             update->lr),
                                .clips = (float)update->clips,
                                .bn_momentum = (float)update->bn_momentum,
                                .loss = update->loss };
}

i3d_status cuda_apply(struct plan *plan, const struct update *update)
{
    struct step_input input = describe(plan, update);
    i3d_status status;
    TRY(card_use(plan->card));
    if (plan->applied - plan->known >= STEP_RESULTS)
        TRY(card_wait(plan->card));
    TRY(card_upload(plan->card, plan->slot.input, &input, sizeof input));
    improve(plan, NULL);
    TRY(card_check(plan->card));
    TRY(tell(plan));
    plan->told_clips[plan->applied % STEP_RESULTS] = 1;
    plan->applied++;
    plan->stale = plan->stale == STALE_ALL ? STALE_ALL : STALE_TRAINED;
out:
    return status;
}

/* All that a step is, from the clip to the weights of the next one. */
static i3d_status run_whole(struct plan *plan)
{
    const struct graph *graph = &plan->decided.graph;
    double *loss = span_at(plan, plan->losses);
    struct loss_args args = { .count = plan->count,
                              .classes = graph->classes,
                              .logits = span_at(plan, plan->logits),
                              .labels = plan->slot.labels,
                              .gradient = span_at(plan, plan->logits_gradient),
                              .losses = loss + 1,
                              .loss = loss };
    i3d_status status;
    TRY(cuda_run_forward(plan));
    kernel_loss(card_stream(plan->card), &args);
    TRY(cuda_run_backward(plan));
    improve(plan, loss);
    TRY(tell(plan));
    plan->stale = STALE_TRAINED;
    TRY(cuda_load_changed(plan));
out:
    return status;
}

/* One thread does not fill memory as fast as a card is fed. */
enum { COPY_BYTES = 4 << 20 };

struct copy {
    char *to;
    const char *from;
    size_t bytes;
};

static i3d_status copy_part(size_t index, int worker, void *context)
{
    const struct copy *copy = context;
    size_t begin = index * COPY_BYTES, left = copy->bytes - begin;
    (void)worker;
    memcpy(copy->to + begin, copy->from + begin, left < COPY_BYTES ? left : COPY_BYTES);
    return I3D_OK;
}

static i3d_status copy_all(struct team *team, void *to, const void *from, size_t bytes)
{
    struct copy copy = { .to = to, .from = from, .bytes = bytes };
    return team_run(team, (bytes + COPY_BYTES - 1) / COPY_BYTES, copy_part, &copy);
}

static i3d_status fill_slot(const struct plan *plan, int lane, const float *input,
                            const int *labels, const float *keep, const struct update *update,
                            size_t *bytes)
{
    const struct graph *graph = &plan->decided.graph;
    size_t clips = (size_t)plan->count;
    struct slot slot;
    *bytes = slot_carve(plan, plan->ring[lane], plan->count, &slot);
    *slot.input = describe(plan, update);
    for (size_t n = 0; n < clips; n++)
        slot.labels[n] = labels[n];
    if (plan->keep_given)
        memcpy(slot.keep, keep,
               clips * value_floats(&graph->values[last_op(plan)->out]) * sizeof *keep);
    return copy_all(plan->team, slot.clip, input,
                    clips * value_floats(&graph->values[0]) * sizeof *input);
}

/* The host fills a slot while the card is at the step before, and waits for that one, not for this:
 * the first alone is waited for, so that its result is known. */
i3d_status cuda_step(struct plan *plan, int count, const float *input, const int *labels,
                     const float *keep, const struct update *update)
{
    int lane = (int)(plan->applied % CARD_LANES);
    void *slot = span_at(plan, plan->slots[lane]);
    size_t bytes;
    i3d_status status;
    if (!has_head(plan))
        return failure(I3D_EUNSUPPORTED, "a network without a head has no loss");
    plan->count = count;
    plan->keep_given = keep != NULL;
    TRY(card_use(plan->card));
    TRY(cuda_load_changed(plan));
    TRY(fill_slot(plan, lane, input, labels, keep, update, &bytes));
    TRY(card_bring(plan->card, lane, slot, plan->ring[lane], bytes));
    TRY(card_take(plan->card, lane));
    slot_carve(plan, slot, count, &plan->slot);
    TRY(cuda_run_pass(plan, &plan->whole[lane], run_whole));
    TRY(card_leave(plan->card, lane));
    plan->told_clips[plan->applied % STEP_RESULTS] = count;
    plan->applied++;
    bool first = plan->applied == 1;
    TRY(card_reach(plan->card, first ? lane : CARD_LANES - 1 - lane));
    plan->known = first ? 1 : plan->applied - 1;
out:
    return status;
}

/* A step that overflows because the loss is scaled too much is skipped, with a smaller scale for
 * the next one: only many in a row are the network's fault. */
static bool is_rescaled(struct plan *plan, const struct step_result *told)
{
    bool again = plan->looked == plan->known;
    plan->looked = plan->known;
    if (!told->skipped)
        plan->rescaled = 0;
    else if (!again)
        plan->rescaled++;
    return told->skipped && plan->decided.scaled && isfinite(told->loss) &&
           plan->rescaled <= RESCALED_MAX;
}

i3d_status cuda_applied(struct plan *plan, struct applied *out)
{
    *out = (struct applied){ .step = -1, .param = -1 };
    if (!plan->known)
        return I3D_OK;
    int which = (int)((plan->known - 1) % STEP_RESULTS);
    const struct step_result *told = &plan->told[which];
    *out = (struct applied){ .step = (long)told->step,
                             .skipped = told->skipped,
                             .rescaled = is_rescaled(plan, told),
                             .loss = told->loss / plan->told_clips[which],
                             .param = told->param,
                             .gradient_norm = told->gradient_norm };
    return I3D_OK;
}
