#include "wire/protobuf.h"

#include "base/failure.h"

i3d_status protobuf_next(struct bytes *message, struct protobuf_field *out)
{
    uint64_t key, length;
    bool whole;
    *out = (struct protobuf_field){ 0 };
    if (message->count == 0)
        return I3D_END;
    if (!bytes_varint(message, &key))
        return failure(I3D_EFORMAT,
                       "a protobuf field's key is cut off or too long: copy the file again");
    out->number = key >> 3;
    out->type = (enum protobuf_type)(key & 7);
    switch (out->type) {
    case PROTOBUF_VARINT:
        whole = bytes_varint(message, &out->value);
        break;
    case PROTOBUF_FIXED64:
        whole = bytes_number(message, 8, &out->value);
        break;
    case PROTOBUF_FIXED32:
        whole = bytes_number(message, 4, &out->value);
        break;
    case PROTOBUF_BYTES:
        whole = bytes_varint(message, &length) && bytes_take(message, length, &out->bytes);
        break;
    default:
        return failure(I3D_EFORMAT, "a protobuf field has the unknown type %d", (int)(key & 7));
    }
    if (!whole || out->number == 0)
        return failure(I3D_EFORMAT,
                       "protobuf field %llu is cut off or damaged: copy the file again",
                       (unsigned long long)out->number);
    return I3D_OK;
}

bool protobuf_number(struct protobuf_field *field, uint64_t *out)
{
    if (field->type == PROTOBUF_BYTES)
        return bytes_varint(&field->bytes, out);
    bool first = field->number != 0;
    *out = field->value;
    field->number = 0;
    return first;
}

i3d_status protobuf_put_number(struct buffer *buffer, unsigned number, uint64_t value)
{
    i3d_status status = buffer_varint(buffer, number << 3 | PROTOBUF_VARINT);
    return status == I3D_OK ? buffer_varint(buffer, value) : status;
}

i3d_status protobuf_put_length(struct buffer *buffer, unsigned number, size_t bytes)
{
    i3d_status status = buffer_varint(buffer, number << 3 | PROTOBUF_BYTES);
    return status == I3D_OK ? buffer_varint(buffer, bytes) : status;
}

i3d_status protobuf_put_bytes(struct buffer *buffer, unsigned number, const void *data,
                              size_t bytes)
{
    i3d_status status = protobuf_put_length(buffer, number, bytes);
    return status == I3D_OK ? buffer_add(buffer, data, bytes) : status;
}
