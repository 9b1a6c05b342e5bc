/* TensorFlow's first checkpoints: one table (tensorflow/core/util/saved_tensor_slice.proto) of a
 * SavedTensorSliceMeta under the empty name, which tells every tensor's type and shape, and then of
 * a SavedSlice a tensor. */
#include "checkpoint/tensorflow.h"

#include "base/failure.h"
#include "base/memory.h"
#include "wire/buffer.h"
#include "wire/protobuf.h"
#include "wire/sstable.h"

#include <stdlib.h>
#include <string.h>

enum { META = 1, DATA = 2 };

struct reader {
    struct bundle meta; /* sorted by name */
    struct buffer values;
    i3d_weights *out;
};

/* A name that comes twice: the last one holds. */
static i3d_status keep_name(struct bytes name, char **out)
{
    memory_free(*out);
    *out = NULL;
    return memory_format(out, "%.*s", BYTES_TEXT(name));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct bundle_entry *)a)->name, ((const struct bundle_entry *)b)->name);
}

/* SavedSliceMeta { name = 1; TensorShapeProto shape = 2; DataType type = 3; } */
static i3d_status parse_tensor(struct bytes message, struct bundle *meta)
{
    struct protobuf_field field;
    struct bundle_entry *entry;
    struct bytes shape = { 0 };
    i3d_status status;
    TRY(memory_grow(&meta->entries, &meta->capacity, meta->count + 1, sizeof *entry));
    entry = &meta->entries[meta->count];
    *entry = (struct bundle_entry){ 0 };
    meta->count++;
    TRY(keep_name(bytes_of(""), &entry->name));
    while ((status = protobuf_next(&message, &field)) == I3D_OK) {
        if (field.number == 1 && field.type == PROTOBUF_BYTES)
            TRY(keep_name(field.bytes, &entry->name));
        else if (field.number == 2 && field.type == PROTOBUF_BYTES)
            shape = field.bytes;
        else if (field.number == 3 && field.type == PROTOBUF_VARINT)
            entry->type = field.value;
    }
    if (status == I3D_END)
        status = tensorflow_shape(shape, entry);
out:
    return status;
}

static i3d_status parse_meta(struct bytes message, struct bundle *meta)
{
    struct protobuf_field field;
    i3d_status status;
    while ((status = protobuf_next(&message, &field)) == I3D_OK)
        if (field.number == 1 && field.type == PROTOBUF_BYTES)
            TRY(parse_tensor(field.bytes, meta));
    if (meta->count)
        qsort(meta->entries, meta->count, sizeof *meta->entries, by_name);
out:
    return status == I3D_END ? I3D_OK : status;
}

/* Which field of TensorProto (tensorflow/core/framework/tensor.proto) has the elements of a type,
 * packed; those of floating-point types as they are in memory, the others as base-128 numbers. */
static unsigned values_field(i3d_dtype dtype)
{
    switch (dtype) {
    case I3D_F32:
        return 5;
    case I3D_F64:
        return 6;
    case I3D_I64:
        return 10;
    case I3D_BOOL:
        return 11;
    case I3D_F16:
    case I3D_BF16:
        return 13;
    default:
        return 7;
    }
}

static i3d_status add_values(struct bytes proto, i3d_dtype dtype, struct buffer *out)
{
    struct protobuf_field field;
    i3d_status status;
    uint64_t number;
    out->count = 0;
    while ((status = protobuf_next(&proto, &field)) == I3D_OK) {
        if (field.number != values_field(dtype))
            continue;
        if (dtype == I3D_F32 || dtype == I3D_F64)
            TRY(buffer_add(out, field.bytes.at, field.bytes.count));
        else
            while (protobuf_number(&field, &number))
                TRY(buffer_number(out, i3d_dtype_size(dtype), number));
    }
out:
    return status == I3D_END ? I3D_OK : status;
}

/* SavedSlice { name = 1; TensorSliceProto slice = 2; TensorProto data = 3; } */
struct tensor_slice {
    char *name;
    bool part; /* not all of the tensor: an extent of it has a field */
    struct bytes values;
};

static i3d_status parse_slice(struct bytes message, struct tensor_slice *out)
{
    struct protobuf_field field, extent;
    i3d_status status;
    TRY(keep_name(bytes_of(""), &out->name));
    while ((status = protobuf_next(&message, &field)) == I3D_OK) {
        if (field.number == 1 && field.type == PROTOBUF_BYTES)
            TRY(keep_name(field.bytes, &out->name));
        if (field.number == 3 && field.type == PROTOBUF_BYTES)
            out->values = field.bytes;
        while (field.number == 2 && (status = protobuf_next(&field.bytes, &extent)) == I3D_OK)
            out->part |= extent.bytes.count > 0;
        if (status != I3D_OK && status != I3D_END)
            return status;
    }
out:
    return status == I3D_END ? I3D_OK : status;
}

static i3d_status add_tensor(const struct tensor_slice *slice, struct reader *reader)
{
    struct bundle_entry wanted = { .name = slice->name }, *entry = NULL;
    i3d_dtype dtype = I3D_F32;
    i3d_status status;
    if (reader->meta.count)
        entry = bsearch(&wanted, reader->meta.entries, reader->meta.count, sizeof wanted, by_name);
    if (!entry)
        return failure(I3D_EFORMAT, "tensor '%s' is not in its list: copy the file again",
                       slice->name);
    if (slice->part)
        return tensorflow_in_slices(slice->name);
    if (tensorflow_is_text(entry))
        return I3D_OK;
    TRY(tensorflow_dtype(entry, &dtype));
    TRY(add_values(slice->values, dtype, &reader->values));
    TRY(weights_add_data(reader->out, entry->name, dtype, entry->rank, entry->shape,
                         (struct bytes){ reader->values.data, reader->values.count }));
out:
    return status;
}

/* SavedTensorSlices { SavedTensorSliceMeta meta = 1; SavedSlice data = 2; } */
static i3d_status read_entry(struct bytes key, struct bytes value, void *context)
{
    struct reader *reader = context;
    struct protobuf_field field;
    struct tensor_slice slice = { 0 };
    i3d_status status;
    (void)key;
    while ((status = protobuf_next(&value, &field)) == I3D_OK) {
        if (field.number == META && field.type == PROTOBUF_BYTES)
            TRY(parse_meta(field.bytes, &reader->meta));
        if (field.number == DATA && field.type == PROTOBUF_BYTES) {
            TRY(parse_slice(field.bytes, &slice));
            TRY(add_tensor(&slice, reader));
        }
    }
out:
    memory_free(slice.name);
    return status == I3D_END ? I3D_OK : status;
}

static i3d_status read_slices(const struct source *source, i3d_weights *out)
{
    struct reader reader = { .out = out };
    i3d_status status = sstable_each(source->bytes, read_entry, &reader);
    bundle_clear(&reader.meta);
    buffer_clear(&reader.values);
    return status;
}

/* A bundle's first entry, its header, begins with a number. */
static int bid_slices(const struct source *source)
{
    struct bytes key, value;
    struct protobuf_field field;
    bool is = sstable_first(source->bytes, &key, &value) && key.count == 0 &&
              protobuf_next(&value, &field) == I3D_OK && field.number == META &&
              field.type == PROTOBUF_BYTES;
    return is ? 70 : 0;
}

const struct format weights_tensorflow_v1 = {
    "TensorFlow V1 checkpoint", NULL, bid_slices, read_slices, NULL, DIALECT_DEEPMIND
};
