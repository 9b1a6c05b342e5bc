/* MindSpore's .ckpt, a protobuf message (mindspore/ccsrc/utils/checkpoint.proto):
 *
 *     Checkpoint { repeated Value value = 1; }
 *     Value { string tag = 1; TensorProto tensor = 2; }
 *     TensorProto { repeated int64 dims = 1; string tensor_type = 2; bytes tensor_content = 3; }
 *
 * Each tensor is a Checkpoint of its own and the file their concatenation, which is again one. The
 * content of a large tensor goes on in further Values of the same tag. A scalar has dims [0].
 * Newer versions may end the file with "crc_num" and a checksum in 10 big-endian bytes. */
#include "checkpoint/format.h"

#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"
#include "wire/protobuf.h"

#include <string.h>
#include <zlib.h>

static const char *const type_names[] = {
    [I3D_F32] = "Float32", [I3D_F64] = "Float64", [I3D_F16] = "Float16", [I3D_BF16] = "BFloat16",
    [I3D_I8] = "Int8",     [I3D_U8] = "UInt8",    [I3D_I16] = "Int16",   [I3D_I32] = "Int32",
    [I3D_I64] = "Int64",   [I3D_BOOL] = "Bool",
};

/* MindSpore cuts what is larger; so do we, for its reader's limit on one message. */
static const size_t slice_bytes = (size_t)512 << 20;

static const char checksum_mark[] = "crc_num";
enum { CHECKSUM_BYTES = 10 };

/* One Value; tag, type and content are loans from the file. */
struct piece {
    struct bytes tag, type, content;
    int rank;
    int64_t shape[I3D_RANK_MAX];
};

static i3d_status parse_tensor(struct bytes message, struct piece *out)
{
    struct protobuf_field field;
    uint64_t number;
    i3d_status status;
    while ((status = protobuf_next(&message, &field)) == I3D_OK) {
        if (field.number == 2 && field.type == PROTOBUF_BYTES)
            out->type = field.bytes;
        if (field.number == 3 && field.type == PROTOBUF_BYTES)
            out->content = field.bytes;
        if (field.number != 1)
            continue;
        while (protobuf_number(&field, &number)) {
            if (out->rank == I3D_RANK_MAX || number > INT64_MAX)
                return failure(I3D_EFORMAT, "tensor '%.*s' has an impossible shape",
                               BYTES_TEXT(out->tag));
            out->shape[out->rank++] = (int64_t)number;
        }
    }
    return status == I3D_END ? I3D_OK : status;
}

static i3d_status parse_value(struct bytes message, struct piece *out)
{
    struct protobuf_field field;
    i3d_status status;
    *out = (struct piece){ 0 };
    while ((status = protobuf_next(&message, &field)) == I3D_OK) {
        if (field.number == 1 && field.type == PROTOBUF_BYTES)
            out->tag = field.bytes;
        if (field.number == 2 && field.type == PROTOBUF_BYTES)
            TRY(parse_tensor(field.bytes, out));
    }
out:
    return status == I3D_END ? I3D_OK : status;
}

/* The tensor that a piece begins, zeroed. MindSpore writes a scalar's dims as [0]. */
static i3d_status begin_tensor(const struct piece *piece, size_t room, i3d_weights *weights,
                               i3d_tensor **out)
{
    char *name = NULL;
    size_t bytes;
    i3d_dtype dtype;
    i3d_status status;
    bool scalar = piece->rank == 1 && piece->shape[0] == 0 && piece->content.count > 0;
    TRY(memory_format(&name, "%.*s", BYTES_TEXT(piece->tag)));
    if (!dtype_find(type_names, piece->type, &dtype))
        status = failure(I3D_EUNSUPPORTED, "tensor '%s' is of the type '%.*s', not known here",
                         name, BYTES_TEXT(piece->type));
    else if (!shape_bytes(dtype, scalar ? 0 : piece->rank, piece->shape, &bytes) || bytes > room)
        status = failure(I3D_EFORMAT,
                         "tensor '%s' is larger than the rest of the file; it is cut "
                         "off: copy it again",
                         name);
    else
        status = i3d_weights_add(weights, name, dtype, scalar ? 0 : piece->rank, piece->shape, out);
out:
    memory_free(name);
    return status;
}

/* The tensor being read, `filled` of whose bytes are there. */
struct filling {
    i3d_tensor *tensor; /* NULL: none */
    size_t filled, bytes;
};

static i3d_status check_filled(const struct filling *filling)
{
    if (!filling->tensor || filling->filled == filling->bytes)
        return I3D_OK;
    return failure(I3D_EFORMAT, "tensor '%s' has %zu of its %zu bytes", filling->tensor->name,
                   filling->filled, filling->bytes);
}

static i3d_status add_piece(const struct piece *piece, size_t room, i3d_weights *weights,
                            struct filling *filling)
{
    i3d_status status = I3D_OK;
    bool more = filling->tensor && bytes_equal(piece->tag, filling->tensor->name);
    if (!more) {
        TRY(check_filled(filling));
        *filling = (struct filling){ 0 };
        TRY(begin_tensor(piece, room, weights, &filling->tensor));
        filling->bytes = tensor_bytes(filling->tensor);
    }
    if (piece->content.count > filling->bytes - filling->filled)
        return failure(I3D_EFORMAT, "tensor '%s' has more than its %zu bytes",
                       filling->tensor->name, filling->bytes);
    if (piece->content.count)
        memcpy((uint8_t *)filling->tensor->data + filling->filled, piece->content.at,
               piece->content.count);
    filling->filled += piece->content.count;
out:
    return status;
}

/* Takes the checksum from the file's end and compares it with what is before it. */
static i3d_status check_sum(struct bytes *file)
{
    enum { MARK = sizeof checksum_mark - 1 };
    if (file->count < MARK + CHECKSUM_BYTES)
        return I3D_OK;
    size_t content = file->count - MARK - CHECKSUM_BYTES;
    if (memcmp(file->at + content, checksum_mark, MARK) != 0)
        return I3D_OK;
    uint64_t wanted = 0;
    for (size_t i = content + MARK; i < file->count; i++)
        wanted = wanted << 8 | file->at[i];
    file->count = content;
    if (crc32_z(0, file->at, content) != wanted)
        return failure(I3D_EFORMAT, "its checksum is wrong: copy the file again");
    return I3D_OK;
}

static i3d_status read_mindspore(const struct source *source, i3d_weights *out)
{
    struct bytes file = source->bytes;
    struct protobuf_field field;
    struct piece piece;
    struct filling filling = { 0 };
    i3d_status status;
    TRY(check_sum(&file));
    size_t room = file.count;
    while ((status = protobuf_next(&file, &field)) == I3D_OK) {
        if (field.number != 1 || field.type != PROTOBUF_BYTES)
            continue;
        TRY(parse_value(field.bytes, &piece));
        if (bytes_equal(piece.type, "str")) {
            talk("'%.*s' is a text: left out", BYTES_TEXT(piece.tag));
            continue;
        }
        TRY(add_piece(&piece, room, out, &filling));
    }
    if (status == I3D_END)
        status = check_filled(&filling);
out:
    return status;
}

/* A Value that names a tensor and its type begins the file. */
static int bid_mindspore(const struct source *source)
{
    struct bytes file = source->bytes;
    struct protobuf_field field;
    uint64_t key, length, tag;
    if (!bytes_varint(&file, &key) || key != (1 << 3 | PROTOBUF_BYTES) ||
        !bytes_varint(&file, &length) || length < 4)
        return 0;
    /* The Value may be cut off: its beginning is enough to know it. */
    if (!bytes_varint(&file, &key) || key != (1 << 3 | PROTOBUF_BYTES) ||
        !bytes_varint(&file, &tag) || tag == 0 || !bytes_take(&file, tag, &field.bytes))
        return 0;
    return bytes_varint(&file, &key) && key == (2 << 3 | PROTOBUF_BYTES) ? 20 : 0;
}

/* One Value of `count` bytes of a tensor's content. Each length counts what is inside. */
static i3d_status write_value(FILE *stream, const i3d_tensor *tensor, const void *data,
                              size_t count)
{
    struct buffer about = { 0 }, tag = { 0 }, front = { 0 };
    const char *type = type_names[tensor->dtype];
    i3d_status status = I3D_OK;
    for (int i = 0; i < tensor->rank; i++)
        TRY(protobuf_put_number(&about, 1, (uint64_t)tensor->shape[i]));
    if (tensor->rank == 0)
        TRY(protobuf_put_number(&about, 1, 0));
    TRY(protobuf_put_bytes(&about, 2, type, strlen(type)));
    TRY(protobuf_put_length(&about, 3, count));
    TRY(protobuf_put_bytes(&tag, 1, tensor->name, strlen(tensor->name)));
    TRY(protobuf_put_length(&tag, 2, about.count + count));
    TRY(protobuf_put_length(&front, 1, tag.count + about.count + count));
    TRY(buffer_add(&front, tag.data, tag.count));
    TRY(buffer_add(&front, about.data, about.count));
    fwrite(front.data, 1, front.count, stream);
    fwrite(data, 1, count, stream);
out:
    buffer_clear(&about);
    buffer_clear(&tag);
    buffer_clear(&front);
    return status;
}

static i3d_status write_mindspore(FILE *stream, const i3d_weights *weights)
{
    for (size_t i = 0; i < weights->count; i++) {
        const i3d_tensor *tensor = &weights->tensors[i];
        size_t bytes = tensor_bytes(tensor);
        for (size_t at = 0; at == 0 || at < bytes; at += slice_bytes) {
            size_t count = bytes - at < slice_bytes ? bytes - at : slice_bytes;
            i3d_status status =
                write_value(stream, tensor, (const uint8_t *)tensor->data + at, count);
            if (status != I3D_OK)
                return status;
        }
    }
    return I3D_OK;
}

const struct format weights_mindspore = {
    "MindSpore checkpoint", ".ckpt",         bid_mindspore,
    read_mindspore,         write_mindspore, DIALECT_MINDSPORE
};
