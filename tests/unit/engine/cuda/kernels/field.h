/* Activations for tests of kernels: a view [count, map, channels] in memory that is wider, so that
 * what a kernel must not touch is seen. */
#ifndef TESTS_UNIT_ENGINE_CUDA_FIELD_H
#define TESTS_UNIT_ENGINE_CUDA_FIELD_H

#include "test.h"

#include "base/memory.h"
#include "base/random.h"
#include "engine/cuda/kernels/element.h"
#include "engine/reference/maps.h"

#include <math.h>

/* How a view lies in its memory: aligned and whole octets, or not. */
struct lie {
    int before, behind; /* channels of others */
};
static const struct lie field_lies[] = { { 0, 0 }, { 8, 16 }, { 3, 2 } };
enum { FIELD_LIES = 3 };

struct field {
    struct view view;
    int count;
    size_t map;
    uint8_t *memory, *copy;
    size_t bytes;
};

static const uint8_t field_poison = 0xa5;

static inline void *field_memory(size_t bytes)
{
    uint8_t *memory;
    assert_ok(memory_get(bytes + 64, 1, &memory));
    return memory;
}

static inline float *field_floats(size_t count)
{
    return field_memory(count * sizeof(float));
}

static inline struct field field_create(enum element type, int count, size_t map, int channels,
                                        struct lie lie)
{
    struct field field = { .count = count, .map = map };
    size_t pitch = (size_t)(lie.before + channels + lie.behind);
    field.bytes = (size_t)count * map * pitch * element_bytes(type);
    field.memory = field_memory(field.bytes);
    field.copy = field_memory(field.bytes);
    memset(field.memory, field_poison, field.bytes);
    field.view = (struct view){ .data = field.memory + (size_t)lie.before * element_bytes(type),
                                .type = type,
                                .channels = channels,
                                .positions = (size_t)count * map,
                                .pitch = pitch };
    return field;
}

static inline void field_free(struct field *field)
{
    memory_free(field->memory);
    memory_free(field->copy);
}

/* [count, channels, map] to the view, and back. */
static inline void field_put(struct field *field, const float *from)
{
    const struct view *view = &field->view;
    for (int n = 0; n < field->count; n++)
        for (int c = 0; c < view->channels; c++)
            for (size_t i = 0; i < field->map; i++)
                store1(*from++, view->data, ((size_t)n * field->map + i) * view->pitch + (size_t)c,
                       view->type);
}

static inline void field_get(const struct field *field, float *to)
{
    const struct view *view = &field->view;
    for (int n = 0; n < field->count; n++)
        for (int c = 0; c < view->channels; c++)
            for (size_t i = 0; i < field->map; i++)
                *to++ = load1(view->data, ((size_t)n * field->map + i) * view->pitch + (size_t)c,
                              view->type);
}

static inline size_t field_count(const struct field *field)
{
    return field->view.positions * (size_t)field->view.channels;
}

/* What is beside the view is as it was. */
static inline void field_check_untouched(const struct field *field)
{
    size_t size = element_bytes(field->view.type), pitch = field->view.pitch * size;
    size_t begin = (size_t)((uint8_t *)field->view.data - field->memory);
    size_t end = begin + (size_t)field->view.channels * size;
    for (size_t i = 0; i < field->bytes; i++)
        if ((i % pitch < begin || i % pitch >= end) && field->memory[i] != field_poison)
            fail_msg("byte %zu beside the view was written", i);
}

/* A new field of drawn numbers; `floats` [count, channels, map] gets them as the view has them. */
static inline struct field field_draw(enum element type, int count, size_t map, int channels,
                                      struct lie lie, uint64_t seed, double low, double high,
                                      float *floats)
{
    struct field field = field_create(type, count, map, channels, lie);
    struct random random = random_for(seed, (enum random_purpose)1, 0, 0);
    for (size_t i = 0; i < field_count(&field); i++)
        floats[i] = (float)(low + (high - low) * random_unit(&random));
    field_put(&field, floats);
    field_get(&field, floats);
    return field;
}

static inline void field_draw_floats(uint64_t seed, double low, double high, float *out,
                                     size_t count)
{
    struct random random = random_for(seed, (enum random_purpose)1, 1, 0);
    for (size_t i = 0; i < count; i++)
        out[i] = (float)(low + (high - low) * random_unit(&random));
}

/* `got` is `expected` to `tolerance` of the largest; a NaN is one. */
static inline void field_compare(const char *what, const float *expected, const float *got,
                                 size_t count, double tolerance)
{
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        if (isfinite(expected[i]))
            largest = fmax(largest, fabs((double)expected[i]));
    for (size_t i = 0; i < count; i++) {
        if ((isnan(expected[i]) && isnan(got[i])) || expected[i] == got[i])
            continue;
        double error = fabs((double)expected[i] - got[i]);
        if (!(error <= tolerance * largest))
            fail_msg("%s: number %zu of %zu is %.9g, expected %.9g, the largest %.9g", what, i,
                     count, (double)got[i], (double)expected[i], largest);
    }
}

/* What storing a number of this type may be off by. */
static inline double field_tolerance(enum element type)
{
    static const double tolerances[] = { 2e-6, 4e-3, 5e-4 };
    return tolerances[type];
}

static inline struct maps field_maps(int channels, size_t map, float *floats)
{
    return (struct maps){ .data = floats, .sample = (size_t)channels * map, .map = map };
}

#endif
