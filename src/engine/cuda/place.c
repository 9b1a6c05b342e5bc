/* What lies on the card all the time: the arrays of the state, and tables that kernels read. */
#include "engine/cuda/plan.h"

#include "base/failure.h"
#include "base/memory.h"

enum { COPIERS = 4 };

/* Trained parameters, statistics of norms, running ones: three lists side by side. */
static int describe_segments(struct plan *plan, struct segment *all)
{
    const struct graph *graph = &plan->decided.graph;
    struct segment *next = all;
    for (int p = 0; p < graph->param_count; p++) {
        const i3d_param *param = &graph->params[p];
        if (plan->state.trained[p])
            *next++ = (struct segment){ .at = param->offset,
                                        .count = param->count,
                                        .other = plan->state.moment_at[p],
                                        .param = p,
                                        .decayed = param->role == I3D_PARAM_WEIGHT ||
                                                   param->role == I3D_PARAM_BIAS };
    }
    plan->trained.count = (int)(next - all);
    for (int i = 0; i < graph->op_count; i++)
        if (graph->ops[i].norm && !plan->state.frozen[i])
            *next++ = (struct segment){ .at = graph->ops[i].statistics,
                                        .count = 2 * (size_t)graph->ops[i].channels,
                                        .param = graph->ops[i].params[I3D_PARAM_VARIANCE] };
    plan->norms.count = (int)(next - all) - plan->trained.count;
    for (int i = 0; i < graph->op_count; i++)
        for (int of = 0; of < 2 && graph->ops[i].norm && !plan->state.frozen[i]; of++) {
            const struct op *op = &graph->ops[i];
            int p = op->params[of ? I3D_PARAM_VARIANCE : I3D_PARAM_MEAN];
            *next++ = (struct segment){ .at = graph->params[p].offset,
                                        .count = (size_t)op->channels,
                                        .other = op->statistics + (size_t)(of * op->channels),
                                        .param = p };
        }
    plan->running.count = (int)(next - all) - plan->trained.count - plan->norms.count;
    plan->trained.blocks = segments_place(all, plan->trained.count);
    plan->norms.blocks = segments_place(all + plan->trained.count, plan->norms.count);
    plan->running.blocks =
        segments_place(all + plan->trained.count + plan->norms.count, plan->running.count);
    return (int)(next - all);
}

/* The arrays of the state, which are the plan's spans. */
static void place_state(struct plan *plan)
{
    struct state *state = &plan->state;
    struct segment *segments = span_at(plan, plan->segments);
    state->params = span_at(plan, plan->params);
    state->gradients = span_at(plan, plan->parameter_gradients);
    state->statistics = span_at(plan, plan->statistics);
    for (int m = 0; m < OPTIMIZER_MOMENTS_MAX; m++)
        state->moments[m] = span_at(plan, plan->moments[m]);
    plan->trained.list = segments;
    plan->norms.list = segments + plan->trained.count;
    plan->running.list = plan->norms.list + plan->norms.count;
}

static void place_weights(struct plan *plan)
{
    for (int i = 0; i < plan->decided.graph.op_count; i++) {
        const struct step *step = &plan->steps[i];
        if (step->op->kind != OP_CONV)
            continue;
        struct weights_job *job = &plan->jobs[step->job];
        job->weight = state_param(&plan->state, step->op, I3D_PARAM_WEIGHT);
        job->scale = step->decided->fused ? step_factors(plan, step).scale : NULL;
        job->machine = span_at(plan, step->machine);
        job->gradient = state_gradient(&plan->state, step->op, I3D_PARAM_WEIGHT);
        job->machine_gradient = span_at(plan, step->wide_gradient);
    }
    plan->job_blocks = weights_place(plan->jobs, plan->job_count);
}

static i3d_status upload_tables(struct plan *plan, const struct segment *segments, int count)
{
    const struct loss_scale scale = { .scale = 16777216, .unscale = 1.f / 16777216 };
    i3d_status status;
    TRY(card_upload(plan->card, span_at(plan, plan->jobs_span), plan->jobs,
                    (size_t)plan->job_count * sizeof *plan->jobs));
    if (count)
        TRY(card_upload(plan->card, span_at(plan, plan->segments), segments,
                        (size_t)count * sizeof *segments));
    if (plan->decided.scaled)
        TRY(card_upload(plan->card, span_at(plan, plan->loss_scale), &scale, sizeof scale));
    TRY(card_wait(plan->card));
out:
    return status;
}

static i3d_status bring_in(void *card, void *to, const void *from, size_t bytes)
{
    return card_upload(card, to, from, bytes);
}

static i3d_status bring_out(void *card, void *to, const void *from, size_t bytes)
{
    return card_download(card, to, from, bytes);
}

/* How many clips would fit, by what grows with them: not what is there all the time, nor the
 * largest gradient of weights on its way. */
static int count_fitting(const struct plan *plan, size_t room)
{
    size_t kept = 0, weights = 0;
    for (int j = 0; plan->decided.training && j < plan->job_count; j++)
        weights = larger(weights, machine_weights(&plan->jobs[j]));
    kept += weights * (sizeof(float) + element_bytes(plan->decided.type));
    for (size_t i = 0; i < plan->arena.count; i++)
        if (plan->arena.spans[i].begin < 0 && plan->arena.spans[i].end > 2 * GRAPH_OPS_MAX - 1)
            kept += plan->arena.spans[i].bytes;
    size_t clip = (plan->arena.bytes - kept) / (size_t)plan->decided.batch;
    return room > kept && clip ? (int)((room - kept) / clip) : 0;
}

static i3d_status take_memory(struct plan *plan)
{
    void *memory;
    size_t room;
    i3d_status status = card_get(plan->card, plan->arena.bytes, &memory);
    plan->arena.memory = memory;
    if (status != I3D_ENOMEM)
        return status;
    TRY(card_room(plan->card, &room));
    int fitting = count_fitting(plan, room);
    double wanted = (double)plan->arena.bytes / 1e9, gigabytes = (double)room / 1e9;
    if (fitting > 0)
        return failure(I3D_ENOMEM,
                       "a batch of %d clips takes %.2f GB of the card's memory, and %.2f GB are "
                       "free: a batch of %d fits",
                       plan->decided.batch, wanted, gigabytes, fitting);
    return failure(I3D_ENOMEM,
                   "a batch of %d clips takes %.2f GB of the card's memory, and %.2f GB are free: "
                   "not one clip fits; choose --device cpu",
                   plan->decided.batch, wanted, gigabytes);
out:
    return status;
}

static i3d_status get_pinned(struct plan *plan)
{
    struct slot slot;
    size_t bytes = slot_carve(plan, NULL, plan->decided.batch, &slot);
    i3d_status status;
    TRY(card_get_pinned(plan->card, STEP_RESULTS * sizeof *plan->told, (void **)&plan->told));
    if (!plan->decided.training)
        goto out;
    for (int lane = 0; lane < CARD_LANES; lane++)
        TRY(card_get_pinned(plan->card, bytes, &plan->ring[lane]));
    TRY(team_create(thread_count() < COPIERS ? thread_count() : COPIERS, &plan->team));
out:
    return status;
}

i3d_status cuda_place(struct plan *plan)
{
    size_t most = (size_t)plan->decided.graph.param_count + 3 * GRAPH_OPS_MAX;
    struct segment *segments = NULL;
    int count = 0;
    i3d_status status;
    TRY(memory_get(most, sizeof *segments, &segments));
    if (plan->decided.training)
        count = describe_segments(plan, segments);
    TRY(cuda_lay_out(plan));
    convolver_rest(plan->convolver);
    TRY(take_memory(plan));
    TRY(get_pinned(plan));
    plan->state.transfer =
        (struct transfer){ .in = bring_in, .out = bring_out, .device = plan->card };
    place_state(plan);
    place_weights(plan);
    slot_carve(plan, span_at(plan, plan->slots[0]), plan->decided.batch, &plan->slot);
    TRY(upload_tables(plan, segments, count));
out:
    memory_free(segments);
    return status;
}
