#include "train/run.h"

#include "base/failure.h"
#include "base/memory.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <unistd.h>

static i3d_status check_state(const struct run *run, bool resume)
{
    i3d_series series;
    i3d_status status = i3d_series_list(run->checkpoints, 1, INT_MAX, &series);
    if (status != I3D_OK)
        return status;
    if (series.count && !resume)
        status = failure(I3D_EINVAL,
                         "'%s' holds %zu checkpoints of another run: go on with it by --resume, or "
                         "choose another folder",
                         run->folder, series.count);
    else if (!series.count && resume)
        status = failure(I3D_EINVAL, "'%s' holds no checkpoint to go on from", run->folder);
    i3d_series_clear(&series);
    return status;
}

i3d_status run_open(const char *folder, bool resume, struct run *out)
{
    i3d_status status;
    char *path = NULL;
    *out = (struct run){ .lock.descriptor = -1 };
    TRY(memory_string(folder, &out->folder));
    TRY(path_join(&out->checkpoints, folder, "checkpoints"));
    TRY(folder_make(out->checkpoints));
    TRY(lock_take(folder, &out->lock));
    TRY(check_state(out, resume));
    TRY(path_join(&out->stop, folder, "stop"));
    TRY(path_join(&path, folder, "log.jsonl"));
    out->log = fopen(path, "a");
    if (!out->log)
        status = failure_errno("cannot write '%s'", path);
out:
    memory_free(path);
    if (status != I3D_OK)
        run_close(out);
    return status;
}

void run_close(struct run *run)
{
    if (run->log)
        fclose(run->log);
    lock_release(&run->lock);
    memory_free(run->folder);
    memory_free(run->checkpoints);
    memory_free(run->stop);
    *run = (struct run){ .lock.descriptor = -1 };
}

bool run_stop_asked(const struct run *run)
{
    return file_exists(run->stop);
}

i3d_status run_stop_done(const struct run *run)
{
    if (unlink(run->stop) != 0 && errno != ENOENT)
        return failure_errno("cannot remove '%s'", run->stop);
    return I3D_OK;
}

i3d_status run_log(struct run *run, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(run->log, format, arguments);
    va_end(arguments);
    fputc('\n', run->log);
    if (fflush(run->log) != 0 || ferror(run->log))
        return failure_errno("cannot write '%s/log.jsonl'", run->folder);
    return I3D_OK;
}

i3d_status run_checkpoint(const struct run *run, const char *name, char **out)
{
    return path_join(out, run->checkpoints, name);
}

i3d_status run_prune(const struct run *run, int keep)
{
    i3d_series series;
    i3d_status status = i3d_series_list(run->checkpoints, 1, INT_MAX, &series);
    if (status != I3D_OK)
        return status;
    for (size_t i = 0; i + (size_t)keep < series.count; i++)
        if (unlink(series.entries[i].path) != 0) {
            status = failure_errno("cannot remove '%s'", series.entries[i].path);
            break;
        }
    i3d_series_clear(&series);
    return status;
}
