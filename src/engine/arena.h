/* One block of memory for everything that a run needs for a while. Time is counted in operations;
 * spans that are never needed at the same time may lie in the same place. */
#ifndef I3D_ENGINE_ARENA_H
#define I3D_ENGINE_ARENA_H

#include <i3d/status.h>

#include <stddef.h>

struct span {
    size_t bytes, offset;
    int begin, end; /* the first and the last moment at which it is needed */
};

static inline size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* To whole lines of the cache. */
static inline size_t round_up(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

/* Zeroed memory is an empty arena. */
struct arena {
    struct span *spans;
    size_t count, capacity, bytes;
    char *memory;
};

/* `*out` is the span's number; 0 bytes give -1. */
i3d_status arena_add(struct arena *arena, size_t bytes, int begin, int end, int *out);

/* Finds each span its place, and anew after more were added. The memory, `bytes` of it, is then the
 * owner's to take, where it computes, and to free; arena_take() takes it here, zeroed. */
i3d_status arena_place(struct arena *arena);
i3d_status arena_take(struct arena *arena);

/* NULL for -1. */
void *arena_at(const struct arena *arena, int span);

/* And frees what arena_take() took: whoever took it elsewhere sets `memory` to NULL before. */
void arena_clear(struct arena *arena);

#endif
