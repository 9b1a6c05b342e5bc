#include "base/memory.h"
#include "base/failure.h"
#include "base/room.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

static _Atomic long fail_countdown;

void memory_fail_at(long n)
{
    atomic_store(&fail_countdown, n);
}

static int refused(void)
{
    if (atomic_load(&fail_countdown) <= 0)
        return 0;
    return atomic_fetch_sub(&fail_countdown, 1) == 1;
}

/* What is large is compared with what there is: the system promises more than it has, and ends the
 * program that takes it at its word. */
i3d_status memory_check(size_t bytes)
{
    uint64_t left = room_left("");
    if (bytes <= left)
        return I3D_OK;
    return failure(I3D_ENOMEM,
                   "no memory for %.4g GB: of this machine and its limits %.4g GB are "
                   "left",
                   (double)bytes / 1e9, (double)left / 1e9);
}

i3d_status memory_get(size_t count, size_t size, void *out)
{
    void **slot = out;
    size_t bytes;
    *slot = NULL;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - ALIGNMENT)
        return failure(I3D_ENOMEM, "%zu elements of %zu bytes are more than an address can hold",
                       count, size);
    enum { LARGE = 32 << 20 };
    i3d_status status = bytes < LARGE ? I3D_OK : memory_check(bytes);
    if (status != I3D_OK)
        return status;
    size_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    void *memory = refused() ? NULL : aligned_alloc(ALIGNMENT, rounded ? rounded : ALIGNMENT);
    if (!memory)
        return failure(I3D_ENOMEM, "no memory for %zu bytes", bytes);
    memset(memory, 0, bytes);
    *slot = memory;
    return I3D_OK;
}

i3d_status memory_grow(void *array, size_t *capacity, size_t count, size_t size)
{
    void **slot = array, *wider = NULL;
    if (count <= *capacity)
        return I3D_OK;
    size_t wanted = *capacity > count / 2 ? *capacity * 2 : count;
    if (wanted < 16)
        wanted = 16;
    i3d_status status = memory_get(wanted, size, &wider);
    if (status != I3D_OK)
        return status;
    if (*slot)
        memcpy(wider, *slot, *capacity * size);
    memory_free(*slot);
    *slot = wider;
    *capacity = wanted;
    return I3D_OK;
}

i3d_status memory_string(const char *text, char **out)
{
    size_t bytes = strlen(text) + 1;
    i3d_status status = memory_get(bytes, 1, out);
    if (status == I3D_OK)
        memcpy(*out, text, bytes);
    return status;
}

i3d_status memory_format(char **out, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    *out = NULL;
    i3d_status status = length < 0 ? failure(I3D_ENOMEM, "a text is longer than can be made")
                                   : memory_get((size_t)length + 1, 1, out);
    if (status == I3D_OK)
        vsnprintf(*out, (size_t)length + 1, format, again);
    va_end(again);
    return status;
}

void memory_free(void *memory)
{
    free(memory);
}
