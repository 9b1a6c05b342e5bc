/* Linked into every plug-in in place of base/failure.c, base/memory.c and base/talk.c. */
#include "plugin/guest.h"

#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"

#include <stdarg.h>
#include <stdio.h>

enum { SENTENCE_BYTES = 2048 };
static const struct plugin_host *library;

i3d_status guest_start(const struct plugin_host *host)
{
    library = host;
    return I3D_OK;
}

const char *i3d_error(void)
{
    return library->error();
}

i3d_status failure(i3d_status status, const char *format, ...)
{
    char sentence[SENTENCE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    return library->failure(status, sentence);
}

i3d_status failure_prefix(i3d_status status, const char *format, ...)
{
    char prefix[SENTENCE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(prefix, sizeof prefix, format, arguments);
    va_end(arguments);
    return failure(status, "%s%s", prefix, i3d_error());
}

i3d_status memory_get(size_t count, size_t size, void *out)
{
    return library->memory_get(count, size, out);
}

i3d_status memory_grow(void *array, size_t *capacity, size_t count, size_t size)
{
    return library->memory_grow(array, capacity, count, size);
}

void memory_free(void *memory)
{
    library->memory_free(memory);
}

i3d_status memory_check(size_t bytes)
{
    return library->memory_check(bytes);
}

void talk(const char *format, ...)
{
    char line[SENTENCE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    library->talk(line);
}

bool interrupted(void)
{
    return library->interrupted();
}

i3d_status check_interrupt(void)
{
    if (!interrupted())
        return I3D_OK;
    return failure(I3D_EINTERRUPTED, "stopped on request; run the same command again to go on");
}
