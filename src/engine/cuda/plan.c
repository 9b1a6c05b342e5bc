#include "engine/cuda/plan.h"

#include "base/failure.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

int value_pitch(const struct plan *plan, int value)
{
    return value ? whole_blocks(plan->decided.graph.values[value].channels)
                 : plan->decided.clip_channels;
}

size_t value_positions(const struct plan *plan, int value)
{
    const struct value *of = &plan->decided.graph.values[value];
    const int *folded = plan->decided.fold.size_in;
    if (value == 0 && plan->decided.folded)
        return (size_t)folded[0] * (size_t)folded[1] * (size_t)folded[2];
    return (size_t)of->t * (size_t)of->h * (size_t)of->w;
}

static struct view view_of(const struct plan *plan, int value, int span, int channel, int channels,
                           int count)
{
    char *data = span_at(plan, span);
    size_t begin = (size_t)channel * element_bytes(plan->decided.type);
    return (struct view){ .data = data ? data + begin : NULL,
                          .type = plan->decided.type,
                          .channels = channels,
                          .positions = (size_t)count * value_positions(plan, value),
                          .pitch = (size_t)value_pitch(plan, value) };
}

struct view value_view(const struct plan *plan, int value, int channel, int channels, int count)
{
    return view_of(plan, value, plan->values[value], channel, channels, count);
}

struct view gradient_view(const struct plan *plan, int value, int channel, int channels, int count)
{
    return view_of(plan, value, plan->gradients[value], channel, channels, count);
}

struct view raw_view(const struct plan *plan, const struct step *step, int count)
{
    return (struct view){ .data = span_at(plan, step->raw),
                          .type = plan->decided.type,
                          .channels = step->op->channels,
                          .positions = (size_t)count * op_map(step->op),
                          .pitch = (size_t)step->op->channels };
}

struct norm_factors step_factors(const struct plan *plan, const struct step *step)
{
    float *floats = span_at(plan, step->factors);
    size_t channels = (size_t)step->op->channels;
    return (struct norm_factors){ .mean = floats,
                                  .inverse = floats + channels,
                                  .scale = floats + 2 * channels,
                                  .shift = floats + 3 * channels };
}

struct head_args head_arguments(const struct plan *plan, const struct op *op, int count)
{
    const struct value *in = &plan->decided.graph.values[op->in];
    return (struct head_args){ .count = count,
                               .channels = op->channels,
                               .classes = plan->decided.graph.classes,
                               .t = in->t,
                               .map = in->h * in->w,
                               .window = op->kernel[0],
                               .maximum = plan->decided.graph.head == I3D_HEAD_MAX,
                               .in = value_view(plan, op->in, 0, op->channels, count),
                               .features = span_at(plan, plan->features),
                               .winner = span_at(plan, plan->winner),
                               .keep = plan->keep_given ? plan->slot.keep : NULL,
                               .kept = span_at(plan, plan->kept),
                               .weight = state_param(&plan->state, op, I3D_PARAM_WEIGHT),
                               .bias = state_param(&plan->state, op, I3D_PARAM_BIAS),
                               .logits = span_at(plan, plan->logits) };
}

static void *carve(char *memory, size_t *at, size_t bytes)
{
    size_t begin = *at;
    *at += (bytes + 255) / 256 * 256;
    return memory ? memory + begin : NULL;
}

/* The clip is last, so that the front of a slot is the same for every number of clips. */
size_t slot_carve(const struct plan *plan, void *memory, int count, struct slot *out)
{
    const struct graph *graph = &plan->decided.graph;
    size_t batch = (size_t)plan->decided.batch, at = 0, features = 0;
    if (has_head(plan))
        features = batch * value_floats(&graph->values[last_op(plan)->out]);
    *out = (struct slot){ 0 };
    if (plan->decided.training) {
        out->input = carve(memory, &at, sizeof *out->input);
        out->labels = carve(memory, &at, batch * sizeof *out->labels);
        out->keep = carve(memory, &at, features * sizeof *out->keep);
    }
    out->clip = carve(memory, &at, (size_t)count * value_floats(&graph->values[0]) * sizeof(float));
    return at;
}

static struct convolution_shape describe(const struct plan *plan, const struct step *step)
{
    const struct op *op = step->op;
    const struct decision *decided = &plan->decided;
    const struct fold *fold = &decided->fold;
    bool fused = step->decided->fused, folded = is_folded(plan, step->op);
    struct convolution_shape shape = {
        .samples = decided->batch,
        .in_channels = value_pitch(plan, op->in),
        .channels = op->channels,
        .out_pitch = fused ? value_pitch(plan, op->out) : op->channels,
        .type = decided->type,
        .tf32 = decided->tf32,
    };
    for (int d = 0; d < 3; d++) {
        shape.in[d] = folded ? fold->size_in[d] : op->size_in[d];
        shape.out[d] = op->size_out[d];
        shape.kernel[d] = folded ? fold->kernel[d] : op->kernel[d];
        shape.stride[d] = folded ? 1 : op->stride[d];
        shape.front[d] = folded ? fold->front[d] : op->front[d];
        shape.back[d] = folded ? fold->back[d] : op->back[d];
    }
    return shape;
}

static i3d_status create_passes(struct plan *plan, struct step *step)
{
    const struct op *op = step->op;
    struct convolution_shape shape = describe(plan, step);
    struct convolution_shape forward = shape;
    i3d_status status;
    forward.biased = step->decided->fused;
    forward.relu = step->decided->fused && op->relu;
    TRY(convolver_plan(plan->convolver, &forward, &step->passes[CONVOLUTION_FORWARD]));
    if (!step->decided->backward)
        goto out;
    shape.pass = CONVOLUTION_DATA;
    if (plan->decided.wanted[op->in])
        TRY(convolver_plan(plan->convolver, &shape, &step->passes[CONVOLUTION_DATA]));
    shape.pass = CONVOLUTION_WEIGHT;
    if (state_is_trained(&plan->state, op, I3D_PARAM_WEIGHT))
        TRY(convolver_plan(plan->convolver, &shape, &step->passes[CONVOLUTION_WEIGHT]));
out:
    return status == I3D_OK ? status : failure_prefix(status, "cannot plan '%s': ", op->name);
}

static void describe_weights(struct plan *plan, struct step *step)
{
    const struct op *op = step->op;
    struct weights_job *job = &plan->jobs[plan->job_count];
    step->job = plan->job_count++;
    *job = (struct weights_job){ .outs = op->channels,
                                 .ins = op->in_channels,
                                 .machine_outs = op->channels,
                                 .machine_ins = value_pitch(plan, op->in),
                                 .folded = is_folded(plan, step->op) };
    memcpy(job->kernel, op->kernel, sizeof job->kernel);
}

static i3d_status create_steps(struct plan *plan)
{
    i3d_status status = I3D_OK;
    for (int v = 0; v < GRAPH_VALUES_MAX; v++)
        plan->values[v] = plan->gradients[v] = -1;
    for (int i = 0; i < plan->decided.graph.op_count; i++) {
        struct step *step = &plan->steps[i];
        const struct op *op = &plan->decided.graph.ops[i];
        *step = (struct step){ .op = op,
                               .decided = &plan->decided.ops[i],
                               .machine = -1,
                               .factors = -1,
                               .bias = -1,
                               .own_bias = -1,
                               .raw = -1,
                               .winner = -1,
                               .scratch = -1,
                               .backward_scratch = -1,
                               .machine_gradient = -1,
                               .wide_gradient = -1,
                               .addend = -1 };
        memcpy(step->window.kernel, op->kernel, sizeof op->kernel);
        memcpy(step->window.stride, op->stride, sizeof op->stride);
        memcpy(step->window.front, op->front, sizeof op->front);
        memcpy(step->window.size_in, op->size_in, sizeof op->size_in);
        memcpy(step->window.size_out, op->size_out, sizeof op->size_out);
        if (op->kind != OP_CONV)
            continue;
        describe_weights(plan, step);
        TRY(create_passes(plan, step));
    }
out:
    return status;
}

static void forget_spans(struct plan *plan)
{
    int *const spans[] = { &plan->params,        &plan->parameter_gradients,
                           &plan->statistics,    &plan->jobs_span,
                           &plan->slots[0],      &plan->slots[1],
                           &plan->features,      &plan->kept,
                           &plan->kept_gradient, &plan->winner,
                           &plan->logits,        &plan->logits_gradient,
                           &plan->segments,      &plan->losses,
                           &plan->results,       &plan->check_scratch,
                           &plan->loss_scale,    &plan->moments[0],
                           &plan->moments[1] };
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++)
        *spans[i] = -1;
}

static i3d_status create(const struct plan_request *request, struct plan *plan)
{
    i3d_status status;
    forget_spans(plan);
    TRY(cuda_decide(request, plan));
    TRY(create_steps(plan));
    TRY(cuda_place(plan));
    plan->stale = STALE_ALL;
out:
    return status;
}

i3d_status cuda_plan_create(const struct plan_request *request, struct card *card,
                            struct convolver *convolver, struct plan **out)
{
    struct plan *plan = NULL;
    i3d_status status;
    *out = NULL;
    status = memory_get(1, sizeof *plan, &plan);
    if (status != I3D_OK) {
        convolver_free(convolver);
        card_close(card);
        return status;
    }
    plan->card = card;
    plan->convolver = convolver;
    status = create(request, plan);
    if (status == I3D_OK)
        *out = plan;
    else
        cuda_plan_free(plan);
    return status;
}

/* In inference and in front of what is trained, a norm goes into weights. */
static i3d_status check_fold(const struct plan *plan, struct range range, const float *from)
{
    for (int i = 0; i < plan->decided.graph.op_count; i++) {
        const struct step *step = &plan->steps[i];
        if (step->op->kind != OP_CONV || !step->decided->fused)
            continue;
        for (int role = 0; role < I3D_PARAM_ROLES; role++) {
            const i3d_param *param =
                graph_param(&plan->decided.graph, step->op, (i3d_param_role)role);
            if (!param || param->offset < range.begin ||
                param->offset + param->count > range.begin + range.count)
                continue;
            for (size_t f = 0; f < param->count; f++)
                if (!isfinite(from[param->offset - range.begin + f]))
                    return failure(I3D_EFORMAT,
                                   "the weights of '%s' hold a number that is not finite: load "
                                   "others",
                                   step->op->name);
        }
    }
    return I3D_OK;
}

i3d_status cuda_upload(struct plan *plan, enum plan_array array, struct range range,
                       const float *from)
{
    i3d_status status;
    TRY(state_upload(&plan->state, array, range, from));
    if (array == PLAN_PARAMS) {
        plan->stale = STALE_ALL;
        TRY(check_fold(plan, range, from));
    }
out:
    return status;
}

i3d_status cuda_download(struct plan *plan, enum plan_array array, struct range range, float *to)
{
    i3d_status status = state_download(&plan->state, array, range, to);
    if (status == I3D_OK)
        plan->known = plan->applied; /* it waited for them too */
    return status;
}

struct array cuda_array(struct plan *plan, enum plan_array array)
{
    struct array out = state_array(&plan->state, array);
    out.kind = MEMORY_CUDA;
    return out;
}

/* A value is there after forward() if backward() needs it, or it is the last. */
static bool is_there(const struct plan *plan, int index)
{
    if (index < 0 || index >= plan->decided.graph.value_count || plan->values[index] < 0)
        return false;
    return index > 0 && plan->arena.spans[plan->values[index]].end >= plan->decided.graph.op_count;
}

i3d_status cuda_read_value(struct plan *plan, int index, float *out)
{
    const struct graph *graph = &plan->decided.graph;
    void *floats = NULL;
    i3d_status status;
    TRY(card_use(plan->card));
    if (has_head(plan) && index == last_op(plan)->out)
        return card_download(plan->card, out, span_at(plan, plan->features),
                             (size_t)plan->count * value_floats(&graph->values[index]) *
                                 sizeof *out);
    if (!is_there(plan, index))
        return failure(I3D_EUNSUPPORTED,
                       "this plan of the cuda engine does not keep '%s': use the reference engine",
                       index > 0 && index < graph->value_count ? graph->values[index].name
                                                               : "the clip");
    size_t bytes = (size_t)plan->count * value_floats(&graph->values[index]) * sizeof *out;
    TRY(card_get(plan->card, bytes, &floats));
    kernel_unpack(
        card_stream(plan->card),
        &(struct layout_args){
            .count = plan->count,
            .map = value_positions(plan, index),
            .floats = floats,
            .view = value_view(plan, index, 0, graph->values[index].channels, plan->count) });
    TRY(card_check(plan->card));
    TRY(card_download(plan->card, out, floats, bytes));
out:
    card_free(plan->card, floats);
    return status;
}

size_t cuda_memory(const struct plan *plan)
{
    return sizeof *plan + plan->arena.bytes;
}

void cuda_plan_free(struct plan *plan)
{
    if (!plan)
        return;
    card_use(plan->card);
    recording_free(plan->forward.recording);
    recording_free(plan->backward.recording);
    for (int i = 0; i < GRAPH_OPS_MAX; i++)
        for (int pass = 0; pass < PASSES; pass++)
            convolver_release(plan->steps[i].passes[pass]);
    card_free(plan->card, plan->arena.memory);
    card_free_pinned(plan->card, plan->told);
    for (int lane = 0; lane < CARD_LANES; lane++) {
        recording_free(plan->whole[lane].recording);
        card_free_pinned(plan->card, plan->ring[lane]);
    }
    plan->arena.memory = NULL;
    arena_clear(&plan->arena);
    if (plan->state.graph)
        state_clear(&plan->state);
    team_free(plan->team);
    convolver_free(plan->convolver);
    card_close(plan->card);
    memory_free(plan);
}
