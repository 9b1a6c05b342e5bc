/* Maximum pool. Forward a thread has one output of 8 channels and goes through its window, backward
 * one input and goes through the windows that it lies in: nobody writes what another writes. */
#include "engine/cuda/kernels/walk.h"

/* What both directions walk over: positions [count, size] of one side, a thread each. */
struct pool_walk {
    struct window window;
    struct tile tile;
    struct divider width, height, frames; /* of that side */
    uint32_t positions;
    bool wide;
};

/* A position as clip, t, h, w. */
struct place {
    uint32_t clip;
    int at[3];
};

static struct pool_walk pool_walk_of(const struct window *window, const int size[3],
                                     const struct view *view)
{
    struct pool_walk walk;
    walk.window = *window;
    walk.tile = tile_of(view->channels);
    walk.frames = divider_of((size_t)size[0]);
    walk.height = divider_of((size_t)size[1]);
    walk.width = divider_of((size_t)size[2]);
    walk.positions = (uint32_t)view->positions;
    walk.wide = false;
    return walk;
}

static size_t walk_blocks(const struct pool_walk *walk)
{
    return cover(walk->positions, walk->tile.rows) * walk->tile.tiles;
}

/* A thread's position and octet; false: it has none. Blocks of one position stand side by side. */
DEVICE bool find_place(const struct pool_walk *walk, unsigned block, unsigned thread,
                       uint32_t *position, uint32_t *octet, struct place *place)
{
    uint32_t row, chunk = block / walk->tile.tiles;
    bool there = tile_place(&walk->tile, thread, block - chunk * walk->tile.tiles, &row, octet);
    uint32_t rest = chunk * walk->tile.rows + row;
    *position = rest;
    if (!there || rest >= walk->positions)
        return false;
    place->at[2] = (int)split(&rest, &walk->width);
    place->at[1] = (int)split(&rest, &walk->height);
    place->at[0] = (int)split(&rest, &walk->frames);
    place->clip = rest;
    return true;
}

DEVICE size_t position_of(uint32_t clip, const int size[3], int t, int h, int w)
{
    return (((size_t)clip * (size_t)size[0] + (size_t)t) * (size_t)size[1] + (size_t)h) *
               (size_t)size[2] +
           (size_t)w;
}

/* 8 numbers of taps, a byte each. */
struct __attribute__((aligned(8))) winners {
    uint8_t at[OCTET];
};

/* --- Forward --------------------------------------------------------------------------------- */

struct pool_job {
    struct pool_args args;
    struct pool_walk walk;
};

/* The taps of a window that lie inside the map, begin <= tap < end. */
struct taps {
    int first[3], begin[3], end[3]; /* first: the input under tap 0 */
};

DEVICE struct taps taps_of(const struct window *window, const int at[3])
{
    struct taps taps;
    UNROLL for (int d = 0; d < 3; d++)
    {
        int first = at[d] * window->stride[d] - window->front[d];
        int left = window->size_in[d] - first;
        taps.first[d] = first;
        taps.begin[d] = first < 0 ? -first : 0;
        taps.end[d] = window->kernel[d] < left ? window->kernel[d] : left;
    }
    return taps;
}

/* The first largest number wins, the last that is none if there is one. */
DEVICE void meet_tap(const struct octet *value, int tap, struct octet *best, int winner[OCTET])
{
    UNROLL for (int i = 0; i < OCTET; i++)
    {
        bool better = value->at[i] > best->at[i] || value->at[i] != value->at[i];
        best->at[i] = better ? value->at[i] : best->at[i];
        winner[i] = better ? tap : winner[i];
    }
}

DEVICE void store_winners(const int winner[OCTET], size_t position, uint32_t octets, uint32_t octet,
                          uint8_t *to)
{
    struct winners bytes;
    UNROLL for (int i = 0; i < OCTET; i++) bytes.at[i] = (uint8_t)winner[i];
    ((struct winners *)to)[position * octets + octet] = bytes;
}

TYPED_KERNEL(pool_forward, struct pool_job)
{
    PHASE(thread)
    {
        const struct window *window = &args.walk.window;
        uint32_t position, octet;
        struct place place;
        if (!find_place(&args.walk, BLOCK.x, thread, &position, &octet, &place))
            continue;
        struct column column = column_of(args.args.in.channels, args.walk.wide, octet);
        struct taps taps = taps_of(window, place.at);
        struct octet best = fill8(-INFINITY);
        int winner[OCTET];
        int first = (taps.begin[0] * window->kernel[1] + taps.begin[1]) * window->kernel[2];
        UNROLL for (int i = 0; i < OCTET; i++) winner[i] = first + taps.begin[2];
        for (int t = taps.begin[0]; t < taps.end[0]; t++)
            for (int h = taps.begin[1]; h < taps.end[1]; h++) {
                int tap = (t * window->kernel[1] + h) * window->kernel[2];
                size_t row = position_of(place.clip, window->size_in, taps.first[0] + t,
                                         taps.first[1] + h, 0);
                for (int w = taps.begin[2]; w < taps.end[2]; w++) {
                    struct octet value =
                        load8(&args.args.in, row + (size_t)(taps.first[2] + w), column, type);
                    meet_tap(&value, tap + w, &best, winner);
                }
            }
        store8(&best, &args.args.out, position, column, type);
        if (args.args.winner)
            store_winners(winner, position, args.walk.tile.octets, octet, args.args.winner);
    }
}

void kernel_pool(kernel_stream stream, const struct pool_args *args)
{
    struct pool_job job;
    job.args = *args;
    job.walk = pool_walk_of(&args->window, args->window.size_out, &args->out);
    job.walk.wide = view_is_wide(&args->in) && view_is_wide(&args->out);
    LAUNCH_TYPED(args->in.type, pool_forward, walk_blocks(&job.walk), 1, stream, job);
}

/* --- Backward -------------------------------------------------------------------------------- */

struct pool_backward_job {
    struct pool_backward_args args;
    struct pool_walk walk;
    struct divider stride[3];
};

/* The output along axis d whose window has input `at` under tap `tap`, -1: there is none. */
DEVICE int output_of(const struct pool_backward_job *job, int d, int at, int tap)
{
    int reach = at + job->walk.window.front[d] - tap;
    if (reach < 0)
        return -1;
    uint32_t out = (uint32_t)reach, rest = split(&out, &job->stride[d]);
    return rest || (int)out >= job->walk.window.size_out[d] ? -1 : (int)out;
}

DEVICE void meet_gradient(const struct pool_backward_job *job, size_t position,
                          struct column column, int tap, enum element type, struct octet *sum)
{
    const struct winners *winners = (const struct winners *)job->args.winner;
    struct winners winner =
        winners[position * job->walk.tile.octets + (unsigned)column.channel / OCTET];
    struct octet gradient = load8(&job->args.out_gradient, position, column, type);
    UNROLL for (int i = 0; i < OCTET; i++) sum->at[i] += winner.at[i] == tap ? gradient.at[i] : 0;
}

TYPED_KERNEL(pool_backward, struct pool_backward_job)
{
    PHASE(thread)
    {
        const struct window *window = &args.walk.window;
        uint32_t position, octet;
        struct place place;
        if (!find_place(&args.walk, BLOCK.x, thread, &position, &octet, &place))
            continue;
        struct column column = column_of(args.args.in_gradient.channels, args.walk.wide, octet);
        struct octet sum = fill8(0);
        if (args.args.add)
            sum = load8(&args.args.in_gradient, position, column, type);
        for (int t = 0, tap = 0; t < window->kernel[0]; t++) {
            int to = output_of(&args, 0, place.at[0], t);
            for (int h = 0; h < window->kernel[1]; h++, tap += window->kernel[2]) {
                int ho = to < 0 ? -1 : output_of(&args, 1, place.at[1], h);
                if (ho < 0)
                    continue;
                size_t row = position_of(place.clip, window->size_out, to, ho, 0);
                for (int w = 0; w < window->kernel[2]; w++) {
                    int wo = output_of(&args, 2, place.at[2], w);
                    if (wo >= 0)
                        meet_gradient(&args, row + (size_t)wo, column, tap + w, type, &sum);
                }
            }
        }
        store8(&sum, &args.args.in_gradient, position, column, type);
    }
}

void kernel_pool_backward(kernel_stream stream, const struct pool_backward_args *args)
{
    struct pool_backward_job job;
    job.args = *args;
    job.walk = pool_walk_of(&args->window, args->window.size_in, &args->in_gradient);
    job.walk.wide = view_is_wide(&args->out_gradient) && view_is_wide(&args->in_gradient);
    for (int d = 0; d < 3; d++)
        job.stride[d] = divider_of((size_t)args->window.stride[d]);
    LAUNCH_TYPED(args->in_gradient.type, pool_backward, walk_blocks(&job.walk), 1, stream, job);
}
