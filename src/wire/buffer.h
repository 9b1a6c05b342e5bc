/* Bytes being made: a buffer that grows. Zeroed memory is an empty one. */
#ifndef I3D_WIRE_BUFFER_H
#define I3D_WIRE_BUFFER_H

#include <i3d/status.h>

#include <stddef.h>
#include <stdint.h>

struct buffer {
    uint8_t *data;
    size_t count, capacity;
};

i3d_status buffer_add(struct buffer *buffer, const void *data, size_t bytes);
i3d_status buffer_text(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* without its final 0 */
i3d_status buffer_number(struct buffer *buffer, size_t size, uint64_t value); /* little-endian */
i3d_status buffer_varint(struct buffer *buffer, uint64_t value);
void buffer_clear(struct buffer *buffer);

#endif
