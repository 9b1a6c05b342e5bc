#include "wire/buffer.h"

#include "base/failure.h"
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

i3d_status buffer_add(struct buffer *buffer, const void *data, size_t bytes)
{
    i3d_status status = memory_grow(&buffer->data, &buffer->capacity, buffer->count + bytes, 1);
    if (status != I3D_OK)
        return status;
    if (bytes)
        memcpy(buffer->data + buffer->count, data, bytes);
    buffer->count += bytes;
    return I3D_OK;
}

i3d_status buffer_text(struct buffer *buffer, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    size_t length = (size_t)vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    i3d_status status =
        memory_grow(&buffer->data, &buffer->capacity, buffer->count + length + 1, 1);
    if (status == I3D_OK) {
        vsnprintf((char *)buffer->data + buffer->count, length + 1, format, again);
        buffer->count += length;
    }
    va_end(again);
    return status;
}

i3d_status buffer_number(struct buffer *buffer, size_t size, uint64_t value)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
    return buffer_add(buffer, bytes, size);
}

i3d_status buffer_varint(struct buffer *buffer, uint64_t value)
{
    uint8_t bytes[10];
    size_t count = 0;
    do {
        bytes[count] = (uint8_t)(value & 0x7f);
        value >>= 7;
        if (value)
            bytes[count] |= 0x80;
        count++;
    } while (value);
    return buffer_add(buffer, bytes, count);
}

void buffer_clear(struct buffer *buffer)
{
    memory_free(buffer->data);
    *buffer = (struct buffer){ 0 };
}
