#include "engine/state.h"

#include "base/failure.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

static bool is_running(const i3d_param *param)
{
    return param->role == I3D_PARAM_MEAN || param->role == I3D_PARAM_VARIANCE;
}

static i3d_status choose_trained(const struct plan_request *request, struct state *state)
{
    const struct graph *graph = state->graph;
    size_t params = (size_t)graph->param_count;
    i3d_status status;
    TRY(memory_get(params, sizeof *state->trained, &state->trained));
    TRY(memory_get(params, sizeof *state->moment_at, &state->moment_at));
    for (int p = 0; p < graph->param_count; p++) {
        bool wanted = !request->trained || request->trained[p];
        state->trained[p] = wanted && !is_running(&graph->params[p]);
        state->moment_at[p] = state->trained_floats;
        if (state->trained[p])
            state->trained_floats += graph->params[p].count;
    }
out:
    return status;
}

static i3d_status copy(void *device, void *to, const void *from, size_t bytes)
{
    (void)device;
    memcpy(to, from, bytes);
    return I3D_OK;
}

i3d_status state_describe(const struct plan_request *request, const struct graph *graph,
                          struct state *out)
{
    bool training = request->purpose == PLAN_TRAINING;
    *out = (struct state){ .graph = graph,
                           .transfer = { .in = copy, .out = copy },
                           .optimizer = request->optimizer,
                           .join = request->join,
                           .applied.step = -1 };
    for (int i = 0; i < graph->op_count; i++)
        out->frozen[i] = !training || (request->frozen && request->frozen[i]);
    return training ? choose_trained(request, out) : I3D_OK;
}

static size_t most_channels(const struct graph *graph)
{
    int most = 0;
    for (int i = 0; i < graph->op_count; i++)
        most = graph->ops[i].channels > most ? graph->ops[i].channels : most;
    return (size_t)most;
}

i3d_status state_take(struct state *state, bool params)
{
    size_t floats = state->graph->floats;
    i3d_status status = I3D_OK;
    if (params)
        TRY(memory_get(floats, sizeof *state->params, &state->params));
    if (!state->trained)
        goto out;
    TRY(memory_get(floats, sizeof *state->gradients, &state->gradients));
    TRY(memory_get(state->graph->statistics, sizeof *state->statistics, &state->statistics));
    for (int m = 0; m < optimizer_moment_count(&state->optimizer); m++)
        TRY(memory_get(state->trained_floats, sizeof(float), &state->moments[m]));
    if (state->join.sum) {
        size_t channels = most_channels(state->graph);
        TRY(memory_get(1 + 2 * channels, sizeof *state->joined, &state->joined));
        TRY(memory_get(2 * channels, sizeof *state->wide, &state->wide));
    }
out:
    return status;
}

void state_clear(struct state *state)
{
    if (state->transfer.in == copy) {
        memory_free(state->params);
        memory_free(state->gradients);
        memory_free(state->statistics);
        for (int m = 0; m < OPTIMIZER_MOMENTS_MAX; m++)
            memory_free(state->moments[m]);
    }
    memory_free(state->joined);
    memory_free(state->wide);
    memory_free(state->moment_at);
    memory_free(state->trained);
    *state = (struct state){ 0 };
}

size_t state_bytes(const struct state *state, bool params)
{
    size_t moments = (size_t)optimizer_moment_count(&state->optimizer);
    size_t floats = params ? state->graph->floats : 0;
    if (state->trained)
        floats += state->graph->floats + state->graph->statistics + moments * state->trained_floats;
    return floats * sizeof(float);
}

struct array state_array(const struct state *state, enum plan_array array)
{
    struct array out = { .count = state->graph->floats, .dtype = I3D_F32, .kind = MEMORY_HOST };
    switch (array) {
    case PLAN_PARAMS:
        out.data = state->params;
        break;
    case PLAN_GRADIENTS:
        out.data = state->gradients;
        break;
    case PLAN_MOMENT_1:
    case PLAN_MOMENT_2:
        out.data = state->moments[array - PLAN_MOMENT_1];
        out.count = state->trained_floats;
        break;
    case PLAN_STATISTICS:
        out.data = state->statistics;
        out.count = state->graph->statistics;
        break;
    }
    return out;
}

void state_tell_statistics(const struct state *state, const struct op *op, int channel,
                           double elements, double mean, double variance)
{
    float *means = state->statistics + op->statistics, *variances = means + op->channels;
    double unbiased = elements > 1 ? elements / (elements - 1) : 1;
    means[channel] = (float)mean;
    variances[channel] = (float)(variance * unbiased);
}

static i3d_status join(const struct state *state, size_t count)
{
    return state->join.sum(
        state->join.context,
        (struct array){ .data = state->joined, .count = count, .dtype = I3D_F64 });
}

/* Two rounds: the squares are about the mean of all, so nothing cancels. */
i3d_status state_join_statistics(const struct state *state, int channels, double *elements,
                                 double *mean, double *variance)
{
    double *joined = state->joined, here = *elements;
    size_t count = (size_t)channels;
    i3d_status status = I3D_OK;
    if (!state->join.sum)
        return I3D_OK;
    joined[0] = here;
    for (size_t c = 0; c < count; c++)
        joined[1 + c] = here > 0 ? here * mean[c] : 0;
    TRY(join(state, 1 + count));
    *elements = joined[0];
    for (size_t c = 0; c < count; c++) {
        double all = joined[1 + c] / *elements, apart = mean[c] - all;
        joined[c] = here > 0 ? here * (variance[c] + apart * apart) : 0;
        mean[c] = all;
    }
    TRY(join(state, count));
    for (size_t c = 0; c < count; c++)
        variance[c] = joined[c] / *elements;
out:
    return status;
}

i3d_status state_join_sums(const struct state *state, int channels, double *elements, double *a,
                           double *b)
{
    double *joined = state->joined;
    size_t count = (size_t)channels, bytes = count * sizeof *a;
    i3d_status status = I3D_OK;
    if (!state->join.sum)
        return I3D_OK;
    joined[0] = *elements;
    memcpy(joined + 1, a, bytes);
    memcpy(joined + 1 + count, b, bytes);
    TRY(join(state, 1 + 2 * count));
    *elements = joined[0];
    memcpy(a, joined + 1, bytes);
    memcpy(b, joined + 1 + count, bytes);
out:
    return status;
}

static i3d_status check_range(const struct state *state, enum plan_array array, struct range range)
{
    size_t floats = array == PLAN_STATISTICS ? state->graph->statistics : state->graph->floats;
    if (!state_array(state, array).data)
        return failure(I3D_EINVAL, "this plan keeps no such array: an optimizer has its own "
                                   "number of moments, and inference no gradients");
    if (range.begin > floats || range.count > floats - range.begin)
        return failure(I3D_EINVAL, "floats %zu to %zu are out of the array's %zu", range.begin,
                       range.begin + range.count, floats);
    return I3D_OK;
}

/* The part of a parameter that lies in the range. */
static struct range meet(const i3d_param *param, struct range range)
{
    size_t begin = param->offset > range.begin ? param->offset : range.begin;
    size_t end = param->offset + param->count, other = range.begin + range.count;
    end = end < other ? end : other;
    return (struct range){ begin, end > begin ? end - begin : 0 };
}

static void mark_changed(struct state *state, struct range range)
{
    for (int p = 0; p < state->graph->param_count; p++)
        if (meet(&state->graph->params[p], range).count)
            state->changed[p] = true;
}

/* Calls for each piece of the moments that the range has: moments are of trained parameters only.
 */
static i3d_status copy_moments(const struct state *state, enum plan_array array, struct range range,
                               const float *from, float *to)
{
    const struct transfer *transfer = &state->transfer;
    i3d_status status = I3D_OK;
    float *moments = state->moments[array - PLAN_MOMENT_1];
    if (to)
        memset(to, 0, range.count * sizeof *to);
    for (int p = 0; p < state->graph->param_count; p++) {
        const i3d_param *param = &state->graph->params[p];
        struct range part = meet(param, range);
        if (!state->trained[p] || !part.count)
            continue;
        float *here = moments + state->moment_at[p] + (part.begin - param->offset);
        size_t at = part.begin - range.begin, bytes = part.count * sizeof(float);
        TRY(to ? transfer->out(transfer->device, to + at, here, bytes)
               : transfer->in(transfer->device, here, from + at, bytes));
    }
out:
    return status;
}

static bool is_moment(enum plan_array array)
{
    return array == PLAN_MOMENT_1 || array == PLAN_MOMENT_2;
}

i3d_status state_upload(struct state *state, enum plan_array array, struct range range,
                        const float *from)
{
    const struct transfer *transfer = &state->transfer;
    i3d_status status;
    TRY(check_range(state, array, range));
    TRY(is_moment(array)
            ? copy_moments(state, array, range, from, NULL)
            : transfer->in(transfer->device, (float *)state_array(state, array).data + range.begin,
                           from, range.count * sizeof *from));
    if (array == PLAN_PARAMS)
        mark_changed(state, range);
out:
    return status;
}

i3d_status state_download(const struct state *state, enum plan_array array, struct range range,
                          float *to)
{
    const struct transfer *transfer = &state->transfer;
    i3d_status status;
    TRY(check_range(state, array, range));
    TRY(is_moment(array)
            ? copy_moments(state, array, range, NULL, to)
            : transfer->out(transfer->device, to,
                            (const float *)state_array(state, array).data + range.begin,
                            range.count * sizeof *to));
out:
    return status;
}

i3d_status state_ready(const struct state *state, const struct op *op, const struct ready *ready)
{
    i3d_status status = I3D_OK;
    for (int role = 0; ready && role < I3D_PARAM_ROLES; role++)
        if (state_is_trained(state, op, (i3d_param_role)role)) {
            const i3d_param *param = graph_param(state->graph, op, (i3d_param_role)role);
            TRY(ready->call(ready->context, (struct range){ param->offset, param->count }));
        }
out:
    return status;
}

static double sum_squares(const float *values, size_t count, double share)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)values[i] * values[i];
    return sum * share * share;
}

/* The norm of the mean gradient; -1, or the parameter where something is not finite. */
static int check_finite(const struct state *state, double clips, double *norm)
{
    const struct graph *graph = state->graph;
    double squares = 0;
    for (int p = 0; p < graph->param_count; p++) {
        const i3d_param *param = &graph->params[p];
        if (!state->trained[p])
            continue;
        double sum = sum_squares(state->gradients + param->offset, param->count, 1 / clips);
        if (!isfinite(sum))
            return p;
        squares += sum;
    }
    for (int i = 0; i < graph->op_count; i++) {
        const struct op *op = &graph->ops[i];
        size_t channels = (size_t)op->channels;
        if (op->norm && !state->frozen[i] &&
            !isfinite(sum_squares(state->statistics + op->statistics, 2 * channels, 1)))
            return op->params[I3D_PARAM_VARIANCE];
    }
    *norm = sqrt(squares);
    return -1;
}

static void follow(float *running, const float *batch, int channels, float momentum)
{
    for (int c = 0; c < channels; c++)
        running[c] = (1 - momentum) * running[c] + momentum * batch[c];
}

static void update_running(struct state *state, const struct op *op, double momentum)
{
    const struct graph *graph = state->graph;
    const float *batch = state->statistics + op->statistics;
    follow(state->params + graph_param(graph, op, I3D_PARAM_MEAN)->offset, batch, op->channels,
           (float)momentum);
    follow(state->params + graph_param(graph, op, I3D_PARAM_VARIANCE)->offset, batch + op->channels,
           op->channels, (float)momentum);
    state->changed[op->params[I3D_PARAM_MEAN]] = true;
    state->changed[op->params[I3D_PARAM_VARIANCE]] = true;
}

static void update_param(struct state *state, int p, const struct update *update)
{
    const i3d_param *param = &state->graph->params[p];
    float *moments[OPTIMIZER_MOMENTS_MAX] = { NULL };
    for (int m = 0; m < optimizer_moment_count(&state->optimizer); m++)
        moments[m] = state->moments[m] + state->moment_at[p];
    bool decayed = param->role == I3D_PARAM_WEIGHT || param->role == I3D_PARAM_BIAS;
    optimizer_step(&state->optimizer, update->step, update->lr, decayed, update->clips,
                   state->gradients + param->offset, param->count, moments,
                   state->params + param->offset);
    state->changed[p] = true;
}

void state_apply(struct state *state, const struct update *update)
{
    const struct graph *graph = state->graph;
    struct applied *applied = &state->applied;
    *applied = (struct applied){ .step = update->step, .loss = update->loss, .param = -1 };
    applied->param = check_finite(state, update->clips, &applied->gradient_norm);
    applied->skipped = applied->param >= 0 || !isfinite(update->loss);
    if (applied->skipped)
        return;
    for (int p = 0; p < graph->param_count; p++)
        if (state->trained[p])
            update_param(state, p, update);
    for (int i = 0; i < graph->op_count; i++) {
        const struct op *op = &graph->ops[i];
        if (op->norm && !state->frozen[i])
            update_running(state, op, update->bn_momentum);
    }
}
