/* Protocol buffers without a schema: a message is a sequence of numbered fields
 * (protobuf.dev/programming-guides/encoding). */
#ifndef I3D_WIRE_PROTOBUF_H
#define I3D_WIRE_PROTOBUF_H

#include <i3d/status.h>

#include "wire/buffer.h"
#include "wire/bytes.h"

enum protobuf_type {
    PROTOBUF_VARINT = 0,
    PROTOBUF_FIXED64 = 1,
    PROTOBUF_BYTES = 2, /* bytes, strings, messages inside, packed numbers */
    PROTOBUF_FIXED32 = 5
};

struct protobuf_field {
    uint64_t number;
    enum protobuf_type type;
    uint64_t value;     /* of every type but PROTOBUF_BYTES */
    struct bytes bytes; /* of PROTOBUF_BYTES: a loan from the message */
};

/* Takes the next field from the front of `message`. I3D_END behind the last; I3D_EFORMAT if it runs
 * over the message's end or is of a type that no message has. */
i3d_status protobuf_next(struct bytes *message, struct protobuf_field *out);

/* Of a field that may be one number or packed ones: takes the next number from `field`, false if
 * there is none left. */
bool protobuf_number(struct protobuf_field *field, uint64_t *out);

i3d_status protobuf_put_number(struct buffer *buffer, unsigned number, uint64_t value);
i3d_status protobuf_put_bytes(struct buffer *buffer, unsigned number, const void *data,
                              size_t bytes);
/* The key and the length only, for bytes that follow by another way. */
i3d_status protobuf_put_length(struct buffer *buffer, unsigned number, size_t bytes);

#endif
