#include "export/message.h"

#include "tensor/half.h"
#include "wire/protobuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void message_number(struct message *message, unsigned field, int64_t value)
{
    if (message->status == I3D_OK)
        message->status = protobuf_put_number(&message->buffer, field, (uint64_t)value);
}

void message_float(struct message *message, unsigned field, float value)
{
    if (message->status == I3D_OK)
        message->status = buffer_varint(&message->buffer, field << 3 | PROTOBUF_FIXED32);
    if (message->status == I3D_OK)
        message->status = buffer_number(&message->buffer, sizeof value, float_bits(value));
}

void message_bytes(struct message *message, unsigned field, const void *data, size_t bytes)
{
    if (message->status == I3D_OK)
        message->status = protobuf_put_bytes(&message->buffer, field, data, bytes);
}

void message_text(struct message *message, unsigned field, const char *text)
{
    message_bytes(message, field, text, strlen(text));
}

void message_format(struct message *message, unsigned field, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    message_text(message, field, text);
}

void message_child(struct message *message, unsigned field, struct message *child)
{
    if (message->status == I3D_OK)
        message->status = child->status;
    message_bytes(message, field, child->buffer.data, child->buffer.count);
    message_clear(child);
}

void message_clear(struct message *message)
{
    buffer_clear(&message->buffer);
    *message = (struct message){ 0 };
}
