#include "wire/json.h"
#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"

i3d_status json_parse(const void *text, size_t bytes, json_t **out)
{
    json_error_t error;
    *out = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &error);
    if (!*out)
        return failure(I3D_EFORMAT, "not whole JSON: line %d, column %d: %s", error.line,
                       error.column, error.text);
    return I3D_OK;
}

i3d_status json_read(const char *path, json_t **out)
{
    uint8_t *text;
    size_t bytes;
    *out = NULL;
    i3d_status status = file_read(path, &text, &bytes);
    if (status != I3D_OK)
        return status;
    status = json_parse(text, bytes, out);
    memory_free(text);
    return status == I3D_OK ? status : failure_prefix(status, "'%s' is ", path);
}

i3d_status json_write(const char *path, const json_t *value)
{
    struct file_writer writer;
    i3d_status status = file_begin(path, &writer);
    if (status != I3D_OK)
        return status;
    if (json_dumpf(value, writer.stream, 0) != 0) {
        status = failure_errno("cannot write '%s'", path);
        file_discard(&writer);
        return status;
    }
    return file_commit(&writer);
}
