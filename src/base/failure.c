#include "base/failure.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SENTENCE_BYTES = 2048 };
static _Thread_local char sentence[SENTENCE_BYTES];

const char *i3d_error(void)
{
    return sentence;
}

const char *i3d_status_name(i3d_status status)
{
    switch (status) {
    case I3D_OK:
        return "ok";
    case I3D_END:
        return "end";
    case I3D_ENOMEM:
        return "out of memory";
    case I3D_EINVAL:
        return "invalid argument";
    case I3D_EIO:
        return "input or output error";
    case I3D_EFORMAT:
        return "bad format";
    case I3D_EUNSUPPORTED:
        return "unsupported";
    case I3D_EENGINE:
        return "engine error";
    case I3D_EINTERRUPTED:
        return "interrupted";
    case I3D_EELSEWHERE:
        return "failed elsewhere";
    }
    return "unknown status";
}

/* A sentence with long paths in it loses its middle, not the reason at its end. */
static void shorten(const char *made, size_t length)
{
    static const char gap[] = " [...] ";
    enum { FRONT = SENTENCE_BYTES / 2, REST = SENTENCE_BYTES - FRONT - sizeof gap };
    memcpy(sentence, made, FRONT);
    memcpy(sentence + FRONT, gap, sizeof gap - 1);
    memcpy(sentence + FRONT + sizeof gap - 1, made + length - REST, REST + 1);
}

/* The arguments may point into the old sentence, so the new one is made beside it. */
static void keep(const char *format, va_list arguments, const char *tail)
{
    char made[4 * PATH_MAX];
    int length = vsnprintf(made, sizeof made, format, arguments);
    size_t used = length < 0 ? 0 : (size_t)length < sizeof made ? (size_t)length : sizeof made - 1;
    snprintf(made + used, sizeof made - used, "%s", tail);
    used = strlen(made);
    if (used < sizeof sentence)
        memcpy(sentence, made, used + 1);
    else
        shorten(made, used);
}

i3d_status failure(i3d_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    keep(format, arguments, "");
    va_end(arguments);
    return status;
}

static const char *way_out(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
        return "; free some space";
    case EACCES:
    case EPERM:
        return "; change its permissions or choose another place";
    case EROFS:
        return "; choose another place";
    default:
        return "";
    }
}

i3d_status failure_errno(const char *format, ...)
{
    char reason[256], tail[300];
    int error = errno;
    snprintf(reason, sizeof reason, "%s", strerror(error));
    snprintf(tail, sizeof tail, ": %s%s", reason, way_out(error));
    va_list arguments;
    va_start(arguments, format);
    keep(format, arguments, tail);
    va_end(arguments);
    return error == ENOMEM ? I3D_ENOMEM : I3D_EIO;
}

i3d_status failure_prefix(i3d_status status, const char *format, ...)
{
    char old[SENTENCE_BYTES];
    snprintf(old, sizeof old, "%s", sentence);
    va_list arguments;
    va_start(arguments, format);
    keep(format, arguments, old);
    va_end(arguments);
    return status;
}
