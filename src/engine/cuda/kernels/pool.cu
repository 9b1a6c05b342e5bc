/* Maximum pool. Forward a thread has one output of 8 channels and goes through its window, backward
 * one input and goes through the windows that it lies in: nobody writes what another writes. */
#include "engine/cuda/kernels/walk.h"

/* What both directions walk over: positions [count, size] of one side, a thread each. */
struct pool_walk {
    struct window window;
    struct tile tile;
    struct divider width, height, frames; /* of that side */
    uint32_t positions;
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
    UNROLL
    for (int d = 0; d < 3; d++) {
        int first = at[d] * window->stride[d] - window->front[d];
        int left = window->size_in[d] - first;
        taps.first[d] = first;
        taps.begin[d] = first < 0 ? -first : 0;
        taps.end[d] = window->kernel[d] < left ? window->kernel[d] : left;
    }
    return taps;
}

/* 8 maxima so far, and the numbers of their taps: of float32, and of 16 bits in pairs. */
struct best8 {
    struct octet value;
    struct quad bits, low, high; /* pairs; numbers of float32's taps: low has 0 to 3 */
};

DEVICE struct best8 begin_best(int tap, enum element type)
{
    struct best8 best;
    best.value = fill8(-INFINITY);
    UNROLL
    for (int i = 0; i < 4; i++) {
        best.bits.at[i] = pack_pair(-INFINITY, -INFINITY, type);
        best.low.at[i] = type == ELEMENT_F32 ? (uint32_t)tap : (uint32_t)tap * 0x10001;
        best.high.at[i] = (uint32_t)tap;
    }
    return best;
}

/* The first largest number wins, the last that is none if there is one. */
DEVICE void meet_tap(const struct pool_job *job, size_t position, struct column column, int tap,
                     enum element type, bool winner, struct best8 *best)
{
    if (type == ELEMENT_F32) {
        struct octet value = load8(&job->args.in, position, column, type);
        UNROLL
        for (int i = 0; i < OCTET; i++) {
            bool better = value.at[i] > best->value.at[i] || value.at[i] != value.at[i];
            uint32_t *taps = i < 4 ? &best->low.at[i] : &best->high.at[i - 4];
            best->value.at[i] = better ? value.at[i] : best->value.at[i];
            *taps = better ? (uint32_t)tap : *taps;
        }
        return;
    }
    struct quad bits = load8_bits(&job->args.in, position, column);
    uint32_t taps = (uint32_t)tap * 0x10001;
    UNROLL
    for (int i = 0; i < 4; i++) {
        if (winner) {
            uint32_t better = beating_pair(bits.at[i], best->bits.at[i], type);
            best->low.at[i] = (better & taps) | (~better & best->low.at[i]);
        }
        best->bits.at[i] = larger_pair(bits.at[i], best->bits.at[i], type);
    }
}

DEVICE void store_best(const struct pool_job *job, size_t position, struct column column,
                       enum element type, bool winner, const struct best8 *best)
{
    struct winners bytes;
    if (type == ELEMENT_F32)
        store8(&best->value, &job->args.out, position, column, type);
    else
        store8_bits(&best->bits, &job->args.out, position, column);
    if (!winner)
        return;
    UNROLL
    for (int i = 0; i < OCTET; i++) {
        uint32_t pair = best->low.at[i / 2] >> i % 2 * 16;
        uint32_t single = i < 4 ? best->low.at[i % 4] : best->high.at[i % 4];
        bytes.at[i] = (uint8_t)((type == ELEMENT_F32 ? single : pair) & 0xff);
    }
    size_t octet = (unsigned)column.channel / OCTET;
    ((struct winners *)job->args.winner)[position * job->walk.tile.octets + octet] = bytes;
}

DEVICE void pool_window(const struct pool_job *job, const struct place *place, size_t position,
                        struct column column, enum element type, bool winner)
{
    const struct window *window = &job->walk.window;
    struct taps taps = taps_of(window, place->at);
    struct best8 best = begin_best(
        (taps.begin[0] * window->kernel[1] + taps.begin[1]) * window->kernel[2] + taps.begin[2],
        type);
    for (int t = taps.begin[0]; t < taps.end[0]; t++)
        for (int h = taps.begin[1]; h < taps.end[1]; h++) {
            int tap = (t * window->kernel[1] + h) * window->kernel[2];
            size_t row =
                position_of(place->clip, window->size_in, taps.first[0] + t, taps.first[1] + h, 0);
            for (int w = taps.begin[2]; w < taps.end[2]; w++)
                meet_tap(job, row + (size_t)(taps.first[2] + w), column, tap + w, type, winner,
                         &best);
        }
    store_best(job, position, column, type, winner, &best);
}

TYPED_KERNEL(pool_forward, struct pool_job)
{
    PHASE(thread)
    {
        uint32_t position, octet;
        struct place place;
        if (!find_place(&args.walk, BLOCK.x, thread, &position, &octet, &place))
            continue;
        struct column column = column_of(args.args.in.channels, wide, octet);
        if (args.args.winner)
            pool_window(&args, &place, position, column, type, true);
        else
            pool_window(&args, &place, position, column, type, false);
    }
}

void kernel_pool(kernel_stream stream, const struct pool_args *args)
{
    struct pool_job job;
    job.args = *args;
    job.walk = pool_walk_of(&args->window, args->window.size_out, &args->out);
    bool wide = view_is_wide(&args->in) && view_is_wide(&args->out);
    LAUNCH_TYPED(args->in.type, wide, pool_forward, walk_blocks(&job.walk), 1, stream, job);
}

/* --- Backward -------------------------------------------------------------------------------- */

struct pool_backward_job {
    struct pool_backward_args args;
    struct pool_walk walk;
    struct divider stride[3];
};

/* The outputs begin <= output < end along an axis whose windows have input `at`. */
struct reach {
    int begin, end, front; /* front: number of the tap at output 0 */
};

DEVICE struct reach reach_of(const struct pool_backward_job *job, int d, int at)
{
    const struct window *window = &job->walk.window;
    struct reach reach;
    reach.front = at + window->front[d];
    int before = reach.front - window->kernel[d]; /* that of the last output without it */
    reach.begin = before < 0 ? 0 : (int)divide((uint32_t)before, &job->stride[d]) + 1;
    reach.end = (int)divide((uint32_t)reach.front, &job->stride[d]) + 1;
    if (reach.end > window->size_out[d])
        reach.end = window->size_out[d];
    return reach;
}

DEVICE void meet_gradient(const struct pool_backward_job *job, size_t position,
                          struct column column, int tap, enum element type, struct octet *sum)
{
    const struct winners *winners = (const struct winners *)job->args.winner;
    struct winners winner =
        winners[position * job->walk.tile.octets + (unsigned)column.channel / OCTET];
    struct octet gradient = load8(&job->args.out_gradient, position, column, type);
    UNROLL
    for (int i = 0; i < OCTET; i++)
        sum->at[i] += winner.at[i] == tap ? gradient.at[i] : 0;
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
        struct column column = column_of(args.args.in_gradient.channels, wide, octet);
        struct octet sum = fill8(0);
        if (args.args.add)
            sum = load8(&args.args.in_gradient, position, column, type);
        struct reach reach[3];
        UNROLL
        for (int d = 0; d < 3; d++)
            reach[d] = reach_of(&args, d, place.at[d]);
        for (int t = reach[0].begin; t < reach[0].end; t++)
            for (int h = reach[1].begin; h < reach[1].end; h++) {
                int row_tap = ((reach[0].front - t * window->stride[0]) * window->kernel[1] +
                               reach[1].front - h * window->stride[1]) *
                                  window->kernel[2] +
                              reach[2].front;
                size_t row = position_of(place.clip, window->size_out, t, h, 0);
                for (int w = reach[2].begin; w < reach[2].end; w++)
                    meet_gradient(&args, row + (size_t)w, column, row_tap - w * window->stride[2],
                                  type, &sum);
            }
        store8(&sum, &args.args.in_gradient, position, column, type);
    }
}

void kernel_pool_backward(kernel_stream stream, const struct pool_backward_args *args)
{
    struct pool_backward_job job;
    job.args = *args;
    job.walk = pool_walk_of(&args->window, args->window.size_in, &args->in_gradient);
    bool wide = view_is_wide(&args->out_gradient) && view_is_wide(&args->in_gradient);
    for (int d = 0; d < 3; d++)
        job.stride[d] = divider_of((size_t)args->window.stride[d]);
    LAUNCH_TYPED(args->in_gradient.type, wide, pool_backward, walk_blocks(&job.walk), 1, stream,
                 job);
}
