/* The end of the network: pool over the map, dropout, logits, their mean over time, and the loss.
 * The mean is taken before the product, as engine/head.h does. */
#include "engine/cuda/kernels/walk.h"

struct head_job {
    struct head_args args;
    struct tile tile;
    struct divider frames, map; /* of the pool's input */
    int windows;                /* t' */
};

static struct head_job make_job(const struct head_args *args)
{
    struct head_job job;
    job.args = *args;
    job.tile = tile_of(args->channels);
    job.frames = divider_of((size_t)args->t);
    job.map = divider_of((size_t)args->map);
    job.windows = args->t - args->window + 1;
    return job;
}

DEVICE size_t feature_at(const struct head_job *job, uint32_t clip, int channel, uint32_t window)
{
    size_t row = (size_t)clip * (size_t)job->args.channels + (size_t)channel;
    return row * (size_t)job->windows + window;
}

/* --- Pool ------------------------------------------------------------------------------------ */

/* A sum, or the largest number and where in the window it is. */
struct pooled {
    struct octet value;
    int32_t at[OCTET];
};

/* The first of the largest; the last that is none if there is one. */
DEVICE bool is_better(float value, int32_t at, float than, int32_t than_at)
{
    if (value != value || than != than)
        return value != value && (than == than || at > than_at);
    return value > than || (value == than && at < than_at);
}

DEVICE void join_pooled(bool maximum, struct pooled *to, const struct pooled *with)
{
    UNROLL
    for (int i = 0; i < OCTET; i++) {
        if (!maximum) {
            to->value.at[i] += with->value.at[i];
        } else if (is_better(with->value.at[i], with->at[i], to->value.at[i], to->at[i])) {
            to->value.at[i] = with->value.at[i];
            to->at[i] = with->at[i];
        }
    }
}

DEVICE struct pooled pool_row(const struct head_job *job, size_t begin, uint32_t row,
                              struct column column, enum element type)
{
    const struct head_args *args = &job->args;
    struct pooled all, with;
    uint32_t count = (uint32_t)(args->window * args->map);
    all.value = fill8(args->maximum ? -INFINITY : 0);
    UNROLL
    for (int i = 0; i < OCTET; i++)
        all.at[i] = INT32_MAX;
    for (uint32_t at = row; at < count; at += job->tile.rows) {
        with.value = load8(&args->in, begin + at, column, type);
        UNROLL
        for (int i = 0; i < OCTET; i++)
            with.at[i] = (int32_t)at;
        join_pooled(args->maximum, &all, &with);
    }
    return all;
}

DEVICE void write_pooled(const struct head_job *job, uint32_t clip, uint32_t window,
                         struct column column, const struct pooled *pooled)
{
    const struct head_args *args = &job->args;
    float share = args->maximum ? 1 : (float)(args->window * args->map);
    for (int i = 0; i < column.count; i++) {
        size_t at = feature_at(job, clip, column.channel + i, window);
        args->features[at] = pooled->value.at[i] / share;
        if (args->maximum && args->winner)
            args->winner[at] = pooled->at[i];
    }
}

TYPED_KERNEL(pool_map, struct head_job)
{
    SHARED(struct pooled, pooled, THREADS);
    const struct tile *tile = &args.tile;
    uint32_t clip = BLOCK.x / (uint32_t)args.windows;
    uint32_t window = BLOCK.x - clip * (uint32_t)args.windows;
    PHASE(thread)
    {
        uint32_t row, octet;
        if (!tile_place(tile, thread, BLOCK.y, &row, &octet))
            continue;
        size_t begin = ((size_t)clip * (size_t)args.args.t + window) * (size_t)args.args.map;
        struct column column = column_of(args.args.channels, wide, octet);
        pooled[thread] = pool_row(&args, begin, row, column, type);
    }
    for (uint32_t active = tile->rows, half; active > 1; active = half) {
        half = (active + 1) / 2;
        NEXT_PHASE(thread)
        {
            uint32_t row, octet;
            if (tile_place(tile, thread, BLOCK.y, &row, &octet) && row + half < active)
                join_pooled(args.args.maximum, &pooled[thread],
                            &pooled[thread + half * tile->lanes]);
        }
    }
    NEXT_PHASE(thread)
    {
        uint32_t row, octet;
        if (tile_place(tile, thread, BLOCK.y, &row, &octet) && row == 0)
            write_pooled(&args, clip, window, column_of(args.args.channels, wide, octet),
                         &pooled[thread]);
    }
}

/* --- Logits ---------------------------------------------------------------------------------- */

KERNEL(mean_kept, struct head_job)
{
    PHASE(thread)
    {
        const struct head_args *head = &args.args;
        size_t row = (size_t)BLOCK.x * THREADS + thread, first = row * (size_t)args.windows;
        float sum = 0;
        if (row >= (size_t)head->count * (size_t)head->channels)
            continue;
        for (int t = 0; t < args.windows; t++)
            sum += head->features[first + (size_t)t] *
                   (head->keep ? head->keep[first + (size_t)t] : 1);
        head->kept[row] = sum / (float)args.windows;
    }
}

KERNEL(make_logits, struct head_job)
{
    SHARED(float, sums, THREADS);
    const struct head_args *head = &args.args;
    const float *weight = head->weight + (size_t)BLOCK.x * (size_t)head->channels;
    const float *kept = head->kept + (size_t)BLOCK.y * (size_t)head->channels;
    PHASE(thread)
    {
        float sum = 0;
        for (int c = (int)thread; c < head->channels; c += THREADS)
            sum += weight[c] * kept[c];
        sums[thread] = sum;
    }
    SUM_BLOCK(sums)
    NEXT_PHASE(thread)
    {
        if (thread == 0)
            head->logits[(size_t)BLOCK.y * (size_t)head->classes + BLOCK.x] =
                head->bias[BLOCK.x] + sums[0];
    }
}

void kernel_head(kernel_stream stream, const struct head_args *args)
{
    struct head_job job = make_job(args);
    LAUNCH_TYPED(args->in.type, view_is_wide(&args->in), pool_map, args->count * job.windows,
                 job.tile.tiles, stream, job);
    LAUNCH(mean_kept, cover((size_t)args->count * (size_t)args->channels, THREADS), 1, stream, job);
    LAUNCH(make_logits, args->classes, args->count, stream, job);
}

/* --- Backward -------------------------------------------------------------------------------- */

/* A block has a class and THREADS channels. */
KERNEL(make_weight_gradient, struct head_job)
{
    PHASE(thread)
    {
        const struct head_args *head = &args.args;
        size_t c = (size_t)BLOCK.x * THREADS + thread, channels = (size_t)head->channels;
        float sum = 0, bias = 0;
        for (int n = 0; n < head->count; n++) {
            float g = head->logits_gradient[(size_t)n * (size_t)head->classes + BLOCK.y];
            sum += c < channels ? g * head->kept[(size_t)n * channels + c] : 0;
            bias += g;
        }
        if (head->weight_gradient && c < channels)
            head->weight_gradient[BLOCK.y * channels + c] = sum;
        if (head->bias_gradient && c == 0)
            head->bias_gradient[BLOCK.y] = bias;
    }
}

/* A block has a clip and ACROSS channels; its rows share the classes. */
enum { ACROSS = 32, DOWN = THREADS / ACROSS };

KERNEL(make_kept_gradient, struct head_job)
{
    SHARED(float, sums, THREADS);
    const struct head_args *head = &args.args;
    const float *gradient = head->logits_gradient + (size_t)BLOCK.y * (size_t)head->classes;
    size_t channels = (size_t)head->channels;
    PHASE(thread)
    {
        size_t c = (size_t)BLOCK.x * ACROSS + thread % ACROSS;
        float sum = 0;
        for (size_t k = thread / ACROSS; k < (size_t)head->classes && c < channels; k += DOWN)
            sum += gradient[k] * head->weight[k * channels + c];
        sums[thread] = sum;
    }
    for (unsigned half = DOWN / 2; half > 0; half /= 2) {
        NEXT_PHASE(thread)
        {
            if (thread < half * ACROSS)
                sums[thread] += sums[thread + half * ACROSS];
        }
    }
    NEXT_PHASE(thread)
    {
        size_t c = (size_t)BLOCK.x * ACROSS + thread;
        if (thread < ACROSS && c < channels)
            head->kept_gradient[(size_t)BLOCK.y * channels + c] =
                sums[thread] * (head->scale ? *head->scale : 1);
    }
}

/* What a position of the map gets from all windows that it lies in. */
DEVICE float gather_gradient(const struct head_job *job, uint32_t clip, int channel, int t, int at)
{
    const struct head_args *args = &job->args;
    size_t first = feature_at(job, clip, channel, 0);
    int begin = t - args->window + 1 < 0 ? 0 : t - args->window + 1;
    float share = (float)job->windows * (args->maximum ? 1 : (float)(args->window * args->map));
    float sum = 0;
    for (int window = begin; window <= t && window < job->windows; window++)
        if (!args->maximum || args->winner[first + (size_t)window] == (t - window) * args->map + at)
            sum += args->keep ? args->keep[first + (size_t)window] : 1;
    return args->kept_gradient[first / (size_t)job->windows] * sum / share;
}

TYPED_KERNEL(spread_map, struct head_job)
{
    PHASE(thread)
    {
        const struct view *view = &args.args.in_gradient;
        uint32_t row, octet;
        bool there = tile_place(&args.tile, thread, BLOCK.y, &row, &octet);
        uint32_t position = BLOCK.x * args.tile.rows + row, clip = position;
        if (!there || position >= view->positions)
            continue;
        int at = (int)split(&clip, &args.map), t = (int)split(&clip, &args.frames);
        struct column column = column_of(args.args.channels, wide, octet);
        struct octet value = fill8(0);
        if (args.args.add)
            value = load8(view, position, column, type);
        UNROLL
        for (int i = 0; i < OCTET; i++)
            if (i < column.count)
                value.at[i] += gather_gradient(&args, clip, column.channel + i, t, at);
        store8(&value, view, position, column, type);
    }
}

void kernel_head_backward(kernel_stream stream, const struct head_args *args)
{
    struct head_job job = make_job(args);
    if (args->weight_gradient || args->bias_gradient)
        LAUNCH(make_weight_gradient, cover((size_t)args->channels, THREADS), args->classes, stream,
               job);
    if (!args->kept_gradient)
        return;
    LAUNCH(make_kept_gradient, cover((size_t)args->channels, ACROSS), args->count, stream, job);
    LAUNCH_TYPED(args->in_gradient.type, view_is_wide(&args->in_gradient), spread_map,
                 cover(args->in_gradient.positions, job.tile.rows), job.tile.tiles, stream, job);
}

/* --- Loss ------------------------------------------------------------------------------------ */

/* A block has a clip. */
KERNEL(find_loss, struct loss_args)
{
    SHARED(double, most, THREADS);
    SHARED(double, sums, THREADS);
    const float *row = args.logits + (size_t)BLOCK.x * (size_t)args.classes;
    PHASE(thread)
    {
        most[thread] = -INFINITY;
        for (int k = (int)thread; k < args.classes; k += THREADS)
            most[thread] = fmax(most[thread], (double)row[k]);
    }
    for (unsigned half = THREADS / 2; half > 0; half /= 2) {
        NEXT_PHASE(thread)
        {
            if (thread < half)
                most[thread] = fmax(most[thread], most[thread + half]);
        }
    }
    NEXT_PHASE(thread)
    {
        sums[thread] = 0;
        for (int k = (int)thread; k < args.classes; k += THREADS)
            sums[thread] += exp(row[k] - most[0]);
    }
    SUM_BLOCK(sums)
    NEXT_PHASE(thread)
    {
        int label = args.labels[BLOCK.x];
        float *gradient = args.gradient + (size_t)BLOCK.x * (size_t)args.classes;
        for (int k = (int)thread; k < args.classes; k += THREADS)
            gradient[k] = (float)(exp(row[k] - most[0]) / sums[0] - (k == label));
        if (thread == 0)
            args.losses[BLOCK.x] = log(sums[0]) - (row[label] - most[0]);
    }
}

KERNEL(sum_losses, struct loss_args)
{
    PHASE(thread)
    {
        double sum = 0;
        if (thread > 0)
            continue;
        for (int n = 0; n < args.count; n++)
            sum += args.losses[n];
        *args.loss = sum;
    }
}

void kernel_loss(kernel_stream stream, const struct loss_args *args)
{
    LAUNCH(find_loss, args->count, 1, stream, *args);
    LAUNCH(sum_losses, 1, 1, stream, *args);
}
