/* Sums and copies of views, and changes of their layout and type. */
#include "engine/cuda/kernels/walk.h"

struct sum_job {
    struct sum_args args;
    struct chunks chunks;
};

DEVICE struct octet sum_octet(const struct sum_args *args, size_t position, struct column column,
                              enum element type)
{
    struct octet sum = load8(&args->in[0], position, column, type);
    if (args->mask.data) {
        struct octet mask = load8(&args->mask, position, column, type);
        UNROLL
        for (int i = 0; i < OCTET; i++)
            sum.at[i] = mask.at[i] > 0 ? sum.at[i] : 0;
    }
    UNROLL
    for (int v = 1; v < SUM_MAX; v++) {
        if (v >= args->count)
            continue;
        struct octet with = load8(&args->in[v], position, column, type);
        UNROLL
        for (int i = 0; i < OCTET; i++)
            sum.at[i] += with.at[i];
    }
    UNROLL
    for (int i = 0; i < OCTET; i++)
        sum.at[i] = args->relu && sum.at[i] < 0 ? 0 : sum.at[i]; /* a NaN stays */
    return sum;
}

TYPED_KERNEL(sum_views, struct sum_job)
{
    const struct tile *tile = &args.chunks.tile;
    PHASE(thread)
    {
        uint32_t row, octet;
        if (!tile_place(tile, thread, BLOCK.x, &row, &octet))
            continue;
        struct column column = column_of(args.args.out.channels, wide, octet);
        struct walk walk = walk_of(&args.chunks, BLOCK.y, row);
        for (size_t at = walk.begin; at < walk.end; at += PAIR_FLIGHT * tile->rows) {
            struct octet sum[PAIR_FLIGHT];
            UNROLL
            for (unsigned k = 0; k < PAIR_FLIGHT; k++)
                if (at + k * tile->rows < walk.end)
                    sum[k] = sum_octet(&args.args, at + k * tile->rows, column, type);
            UNROLL
            for (unsigned k = 0; k < PAIR_FLIGHT; k++)
                if (at + k * tile->rows < walk.end)
                    store8(&sum[k], &args.args.out, at + k * tile->rows, column, type);
        }
    }
}

void kernel_sum(kernel_stream stream, const struct sum_args *args)
{
    const struct view *out = &args->out;
    struct sum_job job;
    job.args = *args;
    job.chunks = chunks_of(out->positions, out->channels, BLOCKS_MAX);
    bool wide = view_is_wide(out) && (!args->mask.data || view_is_wide(&args->mask));
    for (int v = 0; v < args->count; v++)
        wide = wide && view_is_wide(&args->in[v]);
    LAUNCH_TYPED(out->type, wide, sum_views, job.chunks.tile.tiles, job.chunks.count, stream, job);
}

struct copy_job {
    struct copy_args args;
    struct chunks chunks;
};

TYPED_KERNEL(copy_view, struct copy_job)
{
    const struct tile *tile = &args.chunks.tile;
    PHASE(thread)
    {
        uint32_t row, octet;
        if (!tile_place(tile, thread, BLOCK.x, &row, &octet))
            continue;
        struct column column = column_of(args.args.in.channels, wide, octet);
        struct walk walk = walk_of(&args.chunks, BLOCK.y, row);
        for (size_t at = walk.begin; at < walk.end; at += FLIGHT * tile->rows) {
            struct octet x[FLIGHT];
            load_flight(&args.args.in, at, walk.end, tile->rows, column, type, FLIGHT, x);
            UNROLL
            for (unsigned k = 0; k < FLIGHT; k++)
                if (at + k * tile->rows < walk.end)
                    store8(&x[k], &args.args.out, at + k * tile->rows, column, args.args.out.type);
        }
    }
}

void kernel_copy(kernel_stream stream, const struct copy_args *args)
{
    const struct view *in = &args->in;
    struct copy_job job;
    job.args = *args;
    job.chunks = chunks_of(in->positions, in->channels, BLOCKS_MAX);
    LAUNCH_TYPED(in->type, view_is_wide(in) && view_is_wide(&args->out), copy_view,
                 job.chunks.tile.tiles, job.chunks.count, stream, job);
}

/* --- [count, channels, map] ------------------------------------------------------------------ */

/* Neighbouring threads have neighbouring positions. */
struct layout_job {
    struct layout_args args;
    struct divider map;
};

DEVICE float *first_float(const struct layout_job *job, uint32_t position, int channel)
{
    uint32_t clip = position, at = split(&clip, &job->map);
    size_t plane = (size_t)clip * (size_t)job->args.view.channels + (size_t)channel;
    return job->args.floats + plane * job->args.map + at;
}

TYPED_KERNEL(pack_view, struct layout_job)
{
    PHASE(thread)
    {
        const struct view *view = &args.args.view;
        uint32_t position = BLOCK.x * THREADS + thread;
        struct column column = column_of(view->channels, wide, BLOCK.y);
        if (position >= view->positions)
            continue;
        const float *from = first_float(&args, position, column.channel);
        float scale = args.args.scale ? *args.args.scale : 1;
        struct octet value;
        UNROLL
        for (int i = 0; i < OCTET; i++)
            value.at[i] = i < column.count ? from[(size_t)i * args.args.map] * scale : 0;
        store8(&value, view, position, column, type);
    }
}

TYPED_KERNEL(unpack_view, struct layout_job)
{
    PHASE(thread)
    {
        const struct view *view = &args.args.view;
        uint32_t position = BLOCK.x * THREADS + thread;
        struct column column = column_of(view->channels, wide, BLOCK.y);
        if (position >= view->positions)
            continue;
        float *to = first_float(&args, position, column.channel);
        struct octet value = load8(view, position, column, type);
        UNROLL
        for (int i = 0; i < OCTET; i++)
            if (i < column.count)
                to[(size_t)i * args.args.map] = value.at[i];
    }
}

static struct layout_job make_job(const struct layout_args *args)
{
    struct layout_job job;
    job.args = *args;
    job.map = divider_of(args->map);
    return job;
}

void kernel_pack(kernel_stream stream, const struct layout_args *args)
{
    struct layout_job job = make_job(args);
    LAUNCH_TYPED(args->view.type, view_is_wide(&args->view), pack_view,
                 cover(args->view.positions, THREADS), cover((size_t)args->view.channels, OCTET),
                 stream, job);
}

void kernel_unpack(kernel_stream stream, const struct layout_args *args)
{
    struct layout_job job = make_job(args);
    LAUNCH_TYPED(args->view.type, view_is_wide(&args->view), unpack_view,
                 cover(args->view.positions, THREADS), cover((size_t)args->view.channels, OCTET),
                 stream, job);
}
