#include "engine/cuda/plan.h"

#include "base/failure.h"

#include <math.h>
#include <string.h>

/* From 2^24 to 1, and some. */
enum { RESCALED_MAX = 32 };

/* The check, the optimizer and the running statistics; then what became of it to the host, where it
 * is looked at one step later. */
static i3d_status run(struct plan *plan)
{
    const struct state *state = &plan->state;
    kernel_stream stream = card_stream(plan->card);
    const struct step_input *input = span_at(plan, plan->inputs);
    struct step_result *result = span_at(plan, plan->results);
    struct check_args check = { .gradients = state->gradients,
                                .statistics = state->statistics,
                                .params = plan->trained,
                                .norms = plan->norms,
                                .input = input,
                                .workspace = span_at(plan, plan->check_scratch),
                                .scale = span_at(plan, plan->loss_scale),
                                .out = result };
    struct step_args step = { .optimizer = state->optimizer.kind,
                              .params = plan->trained,
                              .running = plan->running,
                              .params_data = state->params,
                              .gradients = state->gradients,
                              .statistics = state->statistics,
                              .input = input,
                              .result = result };
    memcpy(step.moments, state->moments, sizeof step.moments);
    kernel_check(stream, &check);
    kernel_step(stream, &step);
    return card_check(plan->card);
}

i3d_status cuda_apply(struct plan *plan, const struct update *update)
{
    struct step_input input = { .step = update->step,
                                .factors = optimizer_factors(&plan->state.optimizer, update->step,
                                                             update->lr),
                                .clips = (float)update->clips,
                                .bn_momentum = (float)update->bn_momentum,
                                .loss = update->loss };
    i3d_status status;
    TRY(card_use(plan->card));
    TRY(card_upload(plan->card, span_at(plan, plan->inputs), &input, sizeof input));
    TRY(run(plan));
    TRY(card_tell(plan->card, &plan->told[plan->applied % STEP_RESULTS],
                  span_at(plan, plan->results), sizeof *plan->told));
    plan->applied++;
    plan->stale = plan->stale == STALE_ALL ? STALE_ALL : STALE_TRAINED;
out:
    return status;
}

/* A step that overflows because the loss is scaled too much is skipped, with a smaller scale for
 * the next one: only many in a row are the network's fault. */
static bool is_rescaled(struct plan *plan, const struct step_result *told)
{
    bool again = plan->looked == plan->applied;
    plan->looked = plan->applied;
    if (!told->skipped)
        plan->rescaled = 0;
    else if (!again)
        plan->rescaled++;
    return told->skipped && plan->decided.scaled && isfinite(told->loss) &&
           plan->rescaled <= RESCALED_MAX;
}

/* Of the step before the last: its result came while the last one's forward() was waited for. */
i3d_status cuda_applied(struct plan *plan, struct applied *out)
{
    *out = (struct applied){ .step = -1, .param = -1 };
    if (plan->applied < STEP_RESULTS)
        return I3D_OK;
    const struct step_result *told = &plan->told[plan->applied % STEP_RESULTS];
    *out = (struct applied){ .step = (long)told->step,
                             .skipped = told->skipped,
                             .rescaled = is_rescaled(plan, told),
                             .loss = told->loss,
                             .param = told->param,
                             .gradient_norm = told->gradient_norm };
    return I3D_OK;
}
