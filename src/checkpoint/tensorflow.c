/* TensorFlow's tensor bundle (tensorflow/core/protobuf/tensor_bundle.proto): NAME.index is a table
 * of BundleEntryProto by name, and of a BundleHeaderProto under the empty name; the tensors lie in
 * NAME.data-00000-of-00001 and so on. */
#include "checkpoint/tensorflow.h"

#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/talk.h"
#include "wire/protobuf.h"
#include "wire/sstable.h"

#include <string.h>

enum { SHARDS_MAX = 1024, TYPE_STRING = 7 };

/* DataType of tensorflow/core/framework/types.proto. */
i3d_status tensorflow_dtype(const struct bundle_entry *entry, i3d_dtype *out)
{
    static const struct {
        unsigned type;
        i3d_dtype dtype;
    } types[] = {
        { 1, I3D_F32 }, { 2, I3D_F64 }, { 3, I3D_I32 },   { 4, I3D_U8 },    { 5, I3D_I16 },
        { 6, I3D_I8 },  { 9, I3D_I64 }, { 10, I3D_BOOL }, { 14, I3D_BF16 }, { 19, I3D_F16 },
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i].type == entry->type) {
            *out = types[i].dtype;
            return I3D_OK;
        }
    return failure(I3D_EUNSUPPORTED, "tensor '%s' is of TensorFlow's type %llu, not known here",
                   entry->name, (unsigned long long)entry->type);
}

bool tensorflow_is_text(const struct bundle_entry *entry)
{
    if (entry->type == TYPE_STRING)
        talk("'%s' is a text: left out", entry->name);
    return entry->type == TYPE_STRING;
}

i3d_status tensorflow_in_slices(const char *name)
{
    return failure(I3D_EUNSUPPORTED,
                   "tensor '%s' is saved in slices: save it without a partitioner", name);
}

/* TensorShapeProto { repeated Dim dim = 2; } Dim { int64 size = 1; } */
i3d_status tensorflow_shape(struct bytes message, struct bundle_entry *out)
{
    struct protobuf_field dim, size;
    i3d_status status;
    while ((status = protobuf_next(&message, &dim)) == I3D_OK) {
        if (dim.number != 2 || dim.type != PROTOBUF_BYTES)
            continue;
        if (out->rank == I3D_RANK_MAX)
            return failure(I3D_EFORMAT, "tensor '%s' has more than %d dimensions", out->name,
                           I3D_RANK_MAX);
        out->shape[out->rank] = 0; /* protobuf leaves out a 0 */
        while ((status = protobuf_next(&dim.bytes, &size)) == I3D_OK)
            if (size.number == 1 && size.type == PROTOBUF_VARINT)
                out->shape[out->rank] = (int64_t)size.value;
        if (status != I3D_END)
            return status;
        out->rank++;
    }
    return status == I3D_END ? I3D_OK : status;
}

static i3d_status parse_entry(struct bytes message, struct bundle_entry *out)
{
    struct protobuf_field field;
    i3d_status status;
    while ((status = protobuf_next(&message, &field)) == I3D_OK) {
        if (field.number == 1 && field.type == PROTOBUF_VARINT)
            out->type = field.value;
        else if (field.number == 2 && field.type == PROTOBUF_BYTES)
            TRY(tensorflow_shape(field.bytes, out));
        else if (field.number == 3 && field.type == PROTOBUF_VARINT)
            out->shard = field.value;
        else if (field.number == 4 && field.type == PROTOBUF_VARINT)
            out->offset = field.value;
        else if (field.number == 5 && field.type == PROTOBUF_VARINT)
            out->size = field.value;
        else if (field.number == 6 && field.type == PROTOBUF_FIXED32)
            out->checksum = (uint32_t)field.value;
        else if (field.number == 7)
            return tensorflow_in_slices(out->name);
    }
out:
    return status == I3D_END ? I3D_OK : status;
}

static i3d_status parse_header(struct bytes message, struct bundle *out)
{
    struct protobuf_field field;
    i3d_status status;
    while ((status = protobuf_next(&message, &field)) == I3D_OK) {
        if (field.number == 1 && field.type == PROTOBUF_VARINT)
            out->shards = field.value;
        if (field.number == 2 && field.value != 0)
            return failure(I3D_EUNSUPPORTED, "it is of a big-endian machine: save it on another");
    }
    return status == I3D_END ? I3D_OK : status;
}

static i3d_status add_entry(struct bytes key, struct bytes value, void *context)
{
    struct bundle *bundle = context;
    struct bundle_entry *entry;
    i3d_status status;
    if (key.count == 0)
        return parse_header(value, bundle);
    TRY(memory_grow(&bundle->entries, &bundle->capacity, bundle->count + 1, sizeof *entry));
    entry = &bundle->entries[bundle->count];
    *entry = (struct bundle_entry){ 0 };
    TRY(memory_format(&entry->name, "%.*s", BYTES_TEXT(key)));
    bundle->count++;
    TRY(parse_entry(value, entry));
out:
    return status;
}

i3d_status bundle_parse(struct bytes index, struct bundle *out)
{
    *out = (struct bundle){ 0 };
    i3d_status status = sstable_each(index, add_entry, out);
    if (status == I3D_OK && (out->shards < 1 || out->shards > SHARDS_MAX))
        status =
            failure(I3D_EFORMAT, "it names %llu files of data", (unsigned long long)out->shards);
    if (status != I3D_OK)
        bundle_clear(out);
    return status;
}

void bundle_clear(struct bundle *bundle)
{
    for (size_t i = 0; i < bundle->count; i++)
        memory_free(bundle->entries[i].name);
    memory_free(bundle->entries);
    *bundle = (struct bundle){ 0 };
}

static i3d_status add_tensor(const struct bundle_entry *entry, struct bytes shard, i3d_weights *out)
{
    struct bytes part, data;
    i3d_dtype dtype = I3D_F32;
    if (tensorflow_is_text(entry))
        return I3D_OK;
    i3d_status status = tensorflow_dtype(entry, &dtype);
    if (status != I3D_OK)
        return status;
    if (!bytes_take(&shard, entry->offset, &part) || !bytes_take(&shard, entry->size, &data))
        return failure(I3D_EFORMAT,
                       "tensor '%s' is beyond the end of its file of data; copy that again",
                       entry->name);
    if (crc32c_masked(data) != entry->checksum)
        return failure(I3D_EFORMAT, "the checksum of tensor '%s' is wrong: copy the files again",
                       entry->name);
    return weights_add_data(out, entry->name, dtype, entry->rank, entry->shape, data);
}

/* Adds the tensors that lie in one file of data, none of whose bytes belong to two. */
static i3d_status read_shard(const struct source *source, const struct bundle *bundle,
                             uint64_t shard, i3d_weights *out)
{
    char *path = NULL;
    uint8_t *data = NULL;
    size_t count, stem = strlen(source->path) - strlen(".index");
    i3d_status status;
    TRY(memory_format(&path, "%.*s.data-%05llu-of-%05llu", (int)stem, source->path,
                      (unsigned long long)shard, (unsigned long long)bundle->shards));
    TRY(file_read(path, &data, &count));
    size_t room = count;
    for (size_t i = 0; i < bundle->count; i++) {
        const struct bundle_entry *entry = &bundle->entries[i];
        if (entry->shard != shard)
            continue;
        if (entry->size > room) {
            status = failure(I3D_EFORMAT,
                             "tensor '%s' shares its data with another, or is beyond "
                             "the end of '%s'; copy that again",
                             entry->name, path);
            goto out;
        }
        room -= entry->size;
        TRY(add_tensor(entry, (struct bytes){ data, count }, out));
    }
out:
    memory_free(path);
    memory_free(data);
    return status;
}

static i3d_status read_tensorflow(const struct source *source, i3d_weights *out)
{
    struct bundle bundle;
    const char *dot = strrchr(source->path, '.');
    if (!dot || strcmp(dot, ".index") != 0)
        return failure(I3D_EFORMAT, "it is the index of a bundle, whose name must end with .index");
    i3d_status status = bundle_parse(source->bytes, &bundle);
    for (uint64_t shard = 0; shard < bundle.shards && status == I3D_OK; shard++)
        status = read_shard(source, &bundle, shard, out);
    bundle_clear(&bundle);
    return status;
}

static int bid_tensorflow(const struct source *source)
{
    return sstable_is(source->bytes) ? 60 : 0;
}

const struct format weights_tensorflow = { "TensorFlow bundle", NULL, bid_tensorflow,
                                           read_tensorflow,     NULL, DIALECT_DEEPMIND };
