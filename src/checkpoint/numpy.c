/* NumPy: an .npz is a zip archive of .npy arrays; a lone .npy is one tensor without a name. */
#include "checkpoint/format.h"

#include "base/failure.h"
#include "base/memory.h"
#include "wire/npy.h"
#include "wire/zip.h"

#include <string.h>

/* NumPy has no bfloat16: it goes out as float32, which holds the same values. */
static const char *const type_names[] = {
    [I3D_F32] = "<f4", [I3D_F64] = "<f8", [I3D_F16] = "<f2", [I3D_I8] = "|i1",   [I3D_U8] = "|u1",
    [I3D_I16] = "<i2", [I3D_I32] = "<i4", [I3D_I64] = "<i8", [I3D_BOOL] = "|b1",
};

/* The file may end after the header. */
static i3d_status parse_array(struct bytes file, const char *name, struct view *out)
{
    struct npy array;
    struct view view = { 0 };
    i3d_status status = npy_parse(file, &array);
    if (status != I3D_OK)
        return failure_prefix(status, "tensor '%s': ", name);
    struct bytes type = { (const uint8_t *)array.type, strlen(array.type) };
    if (!dtype_find(type_names, type, &view.dtype))
        return failure(I3D_EUNSUPPORTED, "tensor '%s' is of NumPy's type '%s', not known here",
                       name, array.type);
    view.rank = array.rank;
    view.storage = array.data;
    int64_t stride = 1;
    for (int i = 0; i < array.rank; i++) {
        int axis = array.fortran ? i : array.rank - 1 - i;
        view.shape[axis] = array.shape[axis];
        view.strides[axis] = stride;
        if (__builtin_mul_overflow(stride, array.shape[axis], &stride))
            stride = INT64_MAX;
    }
    *out = view;
    return I3D_OK;
}

static i3d_status add_array(struct bytes file, const char *name, i3d_weights *out)
{
    struct view view;
    i3d_status status = parse_array(file, name, &view);
    return status == I3D_OK ? weights_add_view(out, name, &view) : status;
}

/* An entry that is unpacked: its header tells how much, and it goes straight to the tensor. */
static i3d_status add_packed(struct zip *zip, const struct zip_entry *entry, const char *name,
                             i3d_weights *out)
{
    uint8_t front[NPY_HEADER_MAX], *data, *made = NULL;
    size_t had = entry->size < sizeof front ? entry->size : sizeof front, bytes;
    struct zip_stream *stream = NULL;
    struct view view;
    i3d_tensor *tensor;
    i3d_status status;
    TRY(zip_stream_open(zip, entry, &stream));
    TRY(zip_stream_read(stream, front, had));
    TRY(parse_array((struct bytes){ front, had }, name, &view));
    size_t ahead = view.storage.count, content = entry->size - (had - ahead);
    if (!shape_bytes(view.dtype, view.rank, view.shape, &bytes) || bytes != content)
        TRY(failure(I3D_EFORMAT, "tensor '%s' has %zu bytes of data, which its shape denies", name,
                    content));
    TRY(i3d_weights_add(out, name, view.dtype, view.rank, view.shape, &tensor));
    data = tensor->data;
    if (!view_is_dense(&view)) {
        TRY(memory_get(content, 1, &made));
        data = made;
    }
    memcpy(data, view.storage.at, ahead);
    TRY(zip_stream_read(stream, data + ahead, content - ahead));
    view.storage = (struct bytes){ data, content };
    if (made)
        view_gather(&view, content / i3d_dtype_size(view.dtype), tensor->data);
out:
    zip_stream_close(stream);
    memory_free(made);
    return status;
}

static i3d_status add_entry(struct zip *zip, const struct zip_entry *entry, const char *name,
                            i3d_weights *out)
{
    struct bytes content;
    uint8_t *made = NULL;
    if (entry->deflated)
        return add_packed(zip, entry, name, out);
    i3d_status status = zip_read(zip, entry, &content, &made);
    return status == I3D_OK ? add_array(content, name, out) : status;
}

/* The name of an entry without ".npy". */
static i3d_status entry_name(const struct zip_entry *entry, char **out)
{
    size_t count = entry->name.count;
    if (count > 4 && memcmp(entry->name.at + count - 4, ".npy", 4) == 0)
        count -= 4;
    return memory_format(out, "%.*s", (int)count, (const char *)entry->name.at);
}

static i3d_status read_numpy(const struct source *source, i3d_weights *out)
{
    struct zip zip;
    i3d_status status;
    if (bytes_begin(source->bytes, "\x93NUMPY"))
        return add_array(source->bytes, "array", out);
    status = zip_open(source->bytes, &zip);
    for (size_t i = 0; i < zip.count && status == I3D_OK; i++) {
        char *name = NULL;
        status = entry_name(&zip.entries[i], &name);
        if (status == I3D_OK)
            status = add_entry(&zip, &zip.entries[i], name, out);
        memory_free(name);
    }
    zip_clear(&zip);
    return status;
}

static int bid_numpy(const struct source *source)
{
    if (bytes_begin(source->bytes, "\x93NUMPY"))
        return 60;
    /* Any zip archive is given to the format that knows better what is in it. */
    return bytes_begin(source->bytes, "PK\3\4") ? 10 : 0;
}

static i3d_status write_array(struct zip_writer *zip, const i3d_tensor *tensor)
{
    struct buffer header = { 0 };
    struct bytes data = { tensor->data, tensor_bytes(tensor) };
    float *wide = NULL;
    char *name = NULL;
    const char *type = type_names[tensor->dtype];
    i3d_status status;
    if (tensor->dtype == I3D_BF16) {
        size_t count = i3d_tensor_count(tensor);
        TRY(memory_get(count, sizeof *wide, &wide));
        i3d_tensor_to_f32(tensor, wide);
        data = (struct bytes){ (const uint8_t *)wide, count * sizeof *wide };
        type = type_names[I3D_F32];
    }
    TRY(memory_format(&name, "%s.npy", tensor->name));
    TRY(npy_header(&header, type, tensor->rank, tensor->shape));
    TRY(zip_add(zip, name, (struct bytes){ header.data, header.count }, data));
out:
    buffer_clear(&header);
    memory_free(wide);
    memory_free(name);
    return status;
}

static i3d_status write_numpy(FILE *stream, const i3d_weights *weights)
{
    struct zip_writer zip = { .stream = stream, .alignment = 64 };
    i3d_status status = I3D_OK;
    for (size_t i = 0; i < weights->count; i++)
        TRY(write_array(&zip, &weights->tensors[i]));
    TRY(zip_finish(&zip));
out:
    zip_writer_clear(&zip);
    return status;
}

const struct format weights_numpy = { "NumPy archive", ".npz",      bid_numpy,
                                      read_numpy,      write_numpy, DIALECT_PIERGIAJ };
