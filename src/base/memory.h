/* All memory comes from here: overflow-checked, and a test can make the n-th request fail. */
#ifndef I3D_BASE_MEMORY_H
#define I3D_BASE_MEMORY_H

#include <i3d/status.h>

#include <stddef.h>
#include <stdint.h>

/* `*out` = count * size bytes, zeroed, 64-byte aligned. I3D_ENOMEM, also where the machine, its
 * control groups or limits have less left, leaves NULL. Free with
 * memory_free(). A count of 0 gives a pointer that may be freed. */
i3d_status memory_get(size_t count, size_t size, void *out);

/* I3D_ENOMEM if less than so many bytes are left: before others take memory who bear no lack of it.
 */
i3d_status memory_check(size_t bytes);

/* total + count * size, or SIZE_MAX where that is more than an address can hold. */
static inline size_t memory_sum(size_t total, size_t count, size_t size)
{
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ||
                   __builtin_add_overflow(total, bytes, &bytes)
               ? SIZE_MAX
               : bytes;
}

/* Grows `*array` (of `size`-byte elements) so that it holds `count`; doubles `*capacity`. */
i3d_status memory_grow(void *array, size_t *capacity, size_t count, size_t size);

/* A copy of a string. */
i3d_status memory_string(const char *text, char **out);

/* printf into new memory. */
i3d_status memory_format(char **out, const char *format, ...) __attribute__((format(printf, 2, 3)));

void memory_free(void *memory);

/* The n-th request from now on fails, counted from 1; 0 switches it off. For tests. */
void memory_fail_at(long n);

#endif
