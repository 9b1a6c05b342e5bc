/* Bytes in memory, read from the front: nothing is ever read behind their end. */
#ifndef I3D_WIRE_BYTES_H
#define I3D_WIRE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const uint8_t *at;
    size_t count;
};

/* Takes the first `count` bytes into `out`; false, and nothing is taken, if there are fewer. */
static inline bool bytes_take(struct bytes *bytes, size_t count, struct bytes *out)
{
    if (count > bytes->count)
        return false;
    *out = (struct bytes){ bytes->at, count };
    bytes->at += count;
    bytes->count -= count;
    return true;
}

/* Takes a little-endian number of 1 to 8 bytes. */
static inline bool bytes_number(struct bytes *bytes, size_t size, uint64_t *out)
{
    struct bytes number;
    if (!bytes_take(bytes, size, &number))
        return false;
    *out = 0;
    for (size_t i = 0; i < size; i++)
        *out |= (uint64_t)number.at[i] << 8 * i;
    return true;
}

/* Takes a base-128 number as protobuf and LevelDB write it: at most 10 bytes, 64 bits. */
static inline bool bytes_varint(struct bytes *bytes, uint64_t *out)
{
    struct bytes rest = *bytes, byte;
    *out = 0;
    for (unsigned shift = 0; shift < 64 && bytes_take(&rest, 1, &byte); shift += 7) {
        *out |= (uint64_t)(byte.at[0] & 0x7f) << shift;
        if (byte.at[0] < 0x80) {
            *bytes = rest;
            return true;
        }
    }
    return false;
}

static inline bool bytes_equal(struct bytes bytes, const char *text)
{
    return bytes.count == strlen(text) && memcmp(bytes.at, text, bytes.count) == 0;
}

static inline bool bytes_begin(struct bytes bytes, const char *text)
{
    return bytes.count >= strlen(text) && memcmp(bytes.at, text, strlen(text)) == 0;
}

#endif
