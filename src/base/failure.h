/* Failing well: the sentence is kept for the thread, the status goes up. */
#ifndef I3D_BASE_FAILURE_H
#define I3D_BASE_FAILURE_H

#include <i3d/status.h>

/* Keeps the sentence for i3d_error() and returns `status`. */
i3d_status failure(i3d_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* As failure(I3D_EIO, ...) with ": " and the text of errno behind it. */
i3d_status failure_errno(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Puts text before the sentence kept: "cannot prepare 'a.avi': " + what failed. Returns status. */
i3d_status failure_prefix(i3d_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Runs `call`; on failure goes to `out:` with `status` set. The function has `i3d_status status`.
 */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status != I3D_OK)                                                                      \
            goto out;                                                                              \
    } while (0)

#endif
