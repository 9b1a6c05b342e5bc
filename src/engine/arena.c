#include "engine/arena.h"

#include "base/memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum { ALIGNMENT = 4096 }; /* a page: no two spans share one */

/* More than any machine has, and so little that no sum of spans overflows. */
static const size_t BYTES_MOST = (size_t)1 << 50;

i3d_status arena_add(struct arena *arena, size_t bytes, int begin, int end, int *out)
{
    *out = -1;
    if (!bytes)
        return I3D_OK;
    i3d_status status =
        memory_grow(&arena->spans, &arena->capacity, arena->count + 1, sizeof *arena->spans);
    if (status != I3D_OK)
        return status;
    size_t held = bytes < BYTES_MOST ? bytes : BYTES_MOST;
    size_t rounded = (held + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    arena->spans[arena->count] = (struct span){ .bytes = rounded, .begin = begin, .end = end };
    *out = (int)arena->count++;
    return I3D_OK;
}

static bool meet(const struct span *a, const struct span *b)
{
    return a->begin <= b->end && b->begin <= a->end;
}

static int compare_sizes(const void *a, const void *b)
{
    const struct span *x = *(struct span *const *)a, *y = *(struct span *const *)b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return (x > y) - (x < y);
}

static int compare_offsets(const void *a, const void *b)
{
    const struct span *x = *(struct span *const *)a, *y = *(struct span *const *)b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* The lowest gap between the spans in the way, which are in the order of their offsets. */
static size_t find_gap(struct span *const *taken, size_t count, size_t bytes)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (taken[i]->offset >= at + bytes)
            break;
        size_t end = taken[i]->offset + taken[i]->bytes;
        at = end > at ? end : at;
    }
    return at;
}

/* Greedy by size (Pisarchyk, Lee 2020): the largest first, each in the lowest gap that holds it. */
i3d_status arena_place(struct arena *arena)
{
    struct span **order = NULL, **taken;
    i3d_status status = memory_get(2 * arena->count, sizeof(struct span *), &order);
    if (status != I3D_OK)
        return status;
    taken = order + arena->count;
    arena->bytes = 0;
    for (size_t i = 0; i < arena->count; i++)
        order[i] = &arena->spans[i];
    qsort(order, arena->count, sizeof *order, compare_sizes);
    for (size_t i = 0; i < arena->count; i++) {
        size_t count = 0;
        for (size_t j = 0; j < i; j++)
            if (meet(order[i], order[j]))
                taken[count++] = order[j];
        qsort(taken, count, sizeof *taken, compare_offsets);
        order[i]->offset = find_gap(taken, count, order[i]->bytes);
        size_t end = order[i]->offset + order[i]->bytes;
        arena->bytes = end > arena->bytes ? end : arena->bytes;
    }
    memory_free(order);
    return I3D_OK;
}

i3d_status arena_take(struct arena *arena)
{
    return memory_get(arena->bytes, 1, &arena->memory);
}

void *arena_at(const struct arena *arena, int span)
{
    return span < 0 ? NULL : arena->memory + arena->spans[span].offset;
}

void arena_clear(struct arena *arena)
{
    memory_free(arena->spans);
    memory_free(arena->memory);
    *arena = (struct arena){ 0 };
}
