/* Named tensors, and the table of formats they come from and go to. */
#include "checkpoint/format.h"

#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static const struct format *const formats[] = { &weights_mindspore,   &weights_torch,
                                                &weights_safetensors, &weights_numpy,
                                                &weights_tensorflow,  &weights_tensorflow_v1,
                                                &weights_onnx,        &weights_mindir };
enum { FORMAT_COUNT = sizeof formats / sizeof formats[0] };

void i3d_weights_clear(i3d_weights *weights)
{
    if (!weights)
        return;
    for (size_t i = 0; i < weights->count; i++)
        i3d_tensor_clear(&weights->tensors[i]);
    memory_free(weights->tensors);
    *weights = (i3d_weights){ 0 };
}

const i3d_tensor *i3d_weights_find(const i3d_weights *weights, const char *name)
{
    for (size_t i = 0; i < weights->count; i++)
        if (strcmp(weights->tensors[i].name, name) == 0)
            return &weights->tensors[i];
    return NULL;
}

i3d_status i3d_weights_add(i3d_weights *weights, const char *name, i3d_dtype dtype, int rank,
                           const int64_t *shape, i3d_tensor **out)
{
    i3d_status status = memory_grow(&weights->tensors, &weights->capacity, weights->count + 1,
                                    sizeof *weights->tensors);
    if (status == I3D_OK)
        status = i3d_tensor_create(name, dtype, rank, shape, &weights->tensors[weights->count]);
    if (status == I3D_OK)
        *out = &weights->tensors[weights->count++];
    return status;
}

size_t tensor_bytes(const i3d_tensor *tensor)
{
    return i3d_tensor_count(tensor) * i3d_dtype_size(tensor->dtype);
}

bool shape_bytes(i3d_dtype dtype, int rank, const int64_t *shape, size_t *out)
{
    *out = i3d_dtype_size(dtype);
    for (int i = 0; i < rank; i++)
        if (shape[i] < 0 || __builtin_mul_overflow(*out, (size_t)shape[i], out))
            return false;
    return true;
}

i3d_status weights_add_data(i3d_weights *weights, const char *name, i3d_dtype dtype, int rank,
                            const int64_t *shape, struct bytes data)
{
    size_t bytes;
    i3d_tensor *tensor;
    if (!shape_bytes(dtype, rank, shape, &bytes) || bytes != data.count)
        return failure(I3D_EFORMAT, "tensor '%s' has %zu bytes of data, which its shape denies",
                       name, data.count);
    i3d_status status = i3d_weights_add(weights, name, dtype, rank, shape, &tensor);
    if (status == I3D_OK && bytes)
        memcpy(tensor->data, data.at, bytes);
    return status;
}

bool dtype_find(const char *const names[], struct bytes name, i3d_dtype *out)
{
    for (int dtype = I3D_F32; dtype <= I3D_BOOL; dtype++)
        if (names[dtype] && bytes_equal(name, names[dtype])) {
            *out = (i3d_dtype)dtype;
            return true;
        }
    return false;
}

static int by_name(const void *a, const void *b)
{
    const i3d_tensor *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

/* Every name is there and is there once. */
static i3d_status check_names(const i3d_weights *weights)
{
    const i3d_tensor **sorted = NULL;
    i3d_status status;
    TRY(memory_get(weights->count, sizeof *sorted, &sorted));
    for (size_t i = 0; i < weights->count; i++)
        sorted[i] = &weights->tensors[i];
    if (weights->count)
        qsort(sorted, weights->count, sizeof *sorted, by_name);
    for (size_t i = 0; i < weights->count && status == I3D_OK; i++) {
        if (!*sorted[i]->name)
            status = failure(I3D_EFORMAT, "a tensor has no name");
        else if (i && strcmp(sorted[i]->name, sorted[i - 1]->name) == 0)
            status = failure(I3D_EFORMAT, "tensor '%s' is there twice", sorted[i]->name);
    }
out:
    memory_free(sorted);
    return status;
}

static const struct format *best_bid(const struct source *source)
{
    const struct format *best = NULL;
    int highest = 0;
    for (int i = 0; i < FORMAT_COUNT; i++) {
        int bid = formats[i]->bid(source);
        if (bid > highest) {
            highest = bid;
            best = formats[i];
        }
    }
    return best;
}

/* MindSpore's encrypted files begin with one of two numbers, by the mode. */
static bool is_encrypted(const struct source *source)
{
    return bytes_begin(source->bytes, "\xd8\x5e\x3a\x7f") ||
           bytes_begin(source->bytes, "\xd9\x5e\x3a\x7f");
}

static i3d_status refuse(const struct source *source)
{
    const char *path = source->path;
    char known[256] = "";
    if (is_encrypted(source))
        return failure(I3D_EUNSUPPORTED,
                       "cannot read '%s': MindSpore encrypted it; load it there with its key, and "
                       "save it without one",
                       path);
    for (int i = 0; i < FORMAT_COUNT; i++) {
        size_t length = strlen(known);
        snprintf(known + length, sizeof known - length, "%s%s", i ? ", " : "", formats[i]->name);
    }
    return failure(I3D_EFORMAT, "cannot read '%s': it is none of these: %s", path, known);
}

i3d_status weights_parse(const struct source *source, i3d_weights *out)
{
    i3d_status status;
    *out = (i3d_weights){ 0 };
    if (source->bytes.count == 0)
        return failure(I3D_EFORMAT, "cannot read '%s': the file is empty", source->path);
    const struct format *format = best_bid(source);
    if (!format)
        return refuse(source);
    out->format = format->name;
    status = format->read(source, out);
    if (status == I3D_OK)
        status = check_names(out);
    if (status != I3D_OK) {
        i3d_weights_clear(out);
        failure_prefix(status, "cannot read '%s' as a %s: ", source->path, format->name);
    }
    return status;
}

i3d_status i3d_weights_read(const char *path, i3d_weights *out)
{
    uint8_t *data;
    size_t count;
    *out = (i3d_weights){ 0 };
    i3d_status status = file_read(path, &data, &count);
    if (status != I3D_OK)
        return status;
    status = weights_parse(&(struct source){ path, { data, count } }, out);
    memory_free(data);
    return status;
}

/* Whether the words of `list` have this one. */
static bool listed(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; *at; at += strspn(at, " ")) {
        size_t span = strcspn(at, " ");
        if (span == length && strncmp(at, word, length) == 0)
            return true;
        at += span;
    }
    return false;
}

i3d_status format_find(const char *path, const struct format **out)
{
    char known[256] = "";
    const char *dot = strrchr(path_name(path), '.');
    for (int i = 0; i < FORMAT_COUNT; i++) {
        if (!formats[i]->extensions)
            continue;
        *out = formats[i];
        if (dot && listed((*out)->extensions, dot))
            return I3D_OK;
        size_t length = strlen(known);
        snprintf(known + length, sizeof known - length, " %s", (*out)->extensions);
    }
    return failure(I3D_EINVAL, "cannot write '%s': the name must end with one of:%s", path, known);
}

i3d_status i3d_weights_write(const char *path, const i3d_weights *weights)
{
    const struct format *format;
    struct file_writer writer = { 0 };
    i3d_status status;
    TRY(format_find(path, &format));
    status = check_names(weights);
    if (status != I3D_OK) {
        failure_prefix(status, "cannot write '%s': ", path);
        goto out;
    }
    TRY(file_begin(path, &writer));
    TRY(format->write(writer.stream, weights));
    TRY(file_commit(&writer));
out:
    file_discard(&writer);
    return status;
}
