#include "engine/cpu/winograd.h"

const struct winograd_extent winograd_extents[TILE_COUNT] = {
    [TILE_2X4X4] = { "2x4x4", { 2, 4, 4 }, 3 },
    [TILE_4X4X4] = { "4x4x4", { 4, 4, 4 }, 3 },
    [TILE_3X3X3] = { "3x3x3", { 3, 3, 3 }, 4 },
    [TILE_3X5X5] = { "3x5x5", { 3, 5, 5 }, 4 },
};

/* Transformed inputs of a thread that are at work at a time: a part of the last-level cache. */
enum { BLOCK_FLOATS = 3 << 16 };

bool winograd_fits(const struct op *op, enum winograd_tile tile)
{
    int taps = winograd_extents[tile].taps, stride = taps == 4 ? 2 : 1;
    for (int d = 0; d < 3; d++)
        if (op->stride[d] != stride || (op->kernel[d] + stride - 1) / stride != taps)
            return false;
    return true;
}

static int whole(int count, int unit)
{
    return (count + unit - 1) / unit * unit;
}

struct winograd winograd_describe(const struct op *op, enum winograd_tile tile, bool turned,
                                  int lanes, int samples, int threads)
{
    const struct winograd_extent *extent = &winograd_extents[tile];
    struct winograd made = { .tile = tile,
                             .lanes = lanes,
                             .threads = threads,
                             .samples = samples,
                             .in_channels = turned ? op->channels : op->in_channels,
                             .channels = turned ? op->in_channels : op->channels,
                             .turned = turned,
                             .points = 1 };
    int tiles = samples, phases = extent->taps == 4 ? 8 : 1;
    for (int d = 0; d < 3; d++) {
        made.kernel[d] = op->kernel[d];
        made.front[d] = turned ? op->kernel[d] - 1 - op->front[d] : op->front[d];
        made.size_in[d] = turned ? op->size_out[d] : op->size_in[d];
        made.size_out[d] = turned ? op->size_in[d] : op->size_out[d];
        made.tiles[d] = (made.size_out[d] + extent->results[d] - 1) / extent->results[d];
        made.points *= extent->results[d] + extent->taps - 1;
        tiles *= made.tiles[d];
    }
    made.depth = whole(made.in_channels * phases, lanes);
    made.panels = whole(made.channels, 2 * lanes) / (2 * lanes);
    made.block = whole(threads * (BLOCK_FLOATS / (made.points * made.depth) + 1), WINOGRAD_GROUP);
    if (made.block > tiles)
        made.block = tiles;
    return made;
}

size_t winograd_weight_floats(const struct winograd *winograd)
{
    return (size_t)winograd->panels * (size_t)winograd->points * (size_t)winograd->depth * 2 *
           (size_t)winograd->lanes;
}

size_t winograd_scratch_floats(const struct winograd *winograd)
{
    size_t products =
        (size_t)WINOGRAD_GROUP * (size_t)winograd->points * 2 * (size_t)winograd->lanes;
    return winograd_block_floats(winograd, winograd->depth) + (size_t)winograd->threads * products;
}

size_t winograd_weights_scratch_floats(const struct winograd *winograd)
{
    return winograd_block_floats(winograd, winograd->depth) +
           winograd_block_floats(winograd, winograd->panels * 2 * winograd->lanes) +
           winograd_weight_floats(winograd);
}
