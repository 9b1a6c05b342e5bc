/* How threads share the octets of a view. */
#ifndef I3D_ENGINE_CUDA_WALK_H
#define I3D_ENGINE_CUDA_WALK_H

#include "engine/cuda/kernels/element.h"

/* How a block's threads share a view: `lanes` neighbours read the octets of one position, `rows`
 * positions are read at a time; some threads may be left over. */
struct tile {
    uint32_t octets, lanes, rows, tiles; /* tiles: beside each other, to cover all channels */
};

static inline struct tile tile_of(int channels)
{
    enum { LANES_MAX = 32 };
    struct tile tile;
    tile.octets = ((uint32_t)channels + OCTET - 1) / OCTET;
    tile.tiles = (tile.octets + LANES_MAX - 1) / LANES_MAX;
    tile.lanes = (tile.octets + tile.tiles - 1) / tile.tiles;
    tile.rows = THREADS / tile.lanes;
    return tile;
}

/* A thread's place: false: it is left over. */
DEVICE bool tile_place(const struct tile *tile, unsigned thread, unsigned tile_number,
                       uint32_t *row, uint32_t *octet)
{
    *row = thread / tile->lanes;
    *octet = tile_number * tile->lanes + (thread - *row * tile->lanes);
    return *row < tile->rows && *octet < tile->octets;
}

/* Positions a thread has in flight, of two views at a time fewer, and how often at least. */
enum { FLIGHT = 4, PAIR_FLIGHT = 2, TURNS = 4, BLOCKS_MAX = 65535 };

/* Positions in chunks, a block each for every tile. */
struct chunks {
    struct tile tile;
    size_t positions, length; /* of a chunk, the last one may be shorter */
    uint32_t count;
};

/* `wanted`: blocks that are enough. */
static inline struct chunks chunks_of(size_t positions, int channels, size_t wanted)
{
    struct chunks chunks = { tile_of(channels), positions, 0, 0 };
    size_t least = (size_t)chunks.tile.rows * FLIGHT * TURNS;
    chunks.length = cover(positions, cover(wanted, chunks.tile.tiles));
    chunks.length = chunks.length < least ? least : chunks.length;
    chunks.count = (uint32_t)cover(positions, chunks.length);
    return chunks;
}

/* The positions of a row in a chunk: begin, begin + rows, ... below end. */
struct walk {
    size_t begin, end;
};

DEVICE struct walk walk_of(const struct chunks *chunks, unsigned chunk, uint32_t row)
{
    struct walk walk;
    walk.begin = (size_t)chunk * chunks->length;
    walk.end = walk.begin + chunks->length;
    if (walk.end > chunks->positions)
        walk.end = chunks->positions;
    walk.begin += row;
    return walk;
}

/* `flight` positions of a walk from `at` on; 0 behind its end. All are asked for before one is
 * looked at: behind the end the first once more. */
DEVICE void load_flight(const struct view *view, size_t at, size_t end, uint32_t rows,
                        struct column column, enum element type, unsigned flight, struct octet *out)
{
    UNROLL
    for (unsigned k = 0; k < flight; k++)
        out[k] = load8(view, at + k * rows < end ? at + k * rows : at, column, type);
    UNROLL
    for (unsigned k = 1; k < flight; k++) {
        UNROLL
        for (int i = 0; i < OCTET; i++)
            out[k].at[i] = at + k * rows < end ? out[k].at[i] : 0;
    }
}

#endif
