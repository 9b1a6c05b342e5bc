/* Bytes in memory, read from the front: nothing is ever read behind their end. */
#ifndef I3D_WIRE_BYTES_H
#define I3D_WIRE_BYTES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const uint8_t *at;
    size_t count;
};

/* For "%.*s". The int that is a text's length there must not become negative. */
#define BYTES_TEXT(bytes)                                                                          \
    (int)((bytes).count < INT_MAX ? (bytes).count : INT_MAX),                                      \
        (bytes).at ? (const char *)(bytes).at : ""

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

/* Empty bytes may be at NULL, which memcmp() may not. */
static inline bool bytes_same(struct bytes a, struct bytes b)
{
    return a.count == b.count && (a.count == 0 || memcmp(a.at, b.at, a.count) == 0);
}

static inline struct bytes bytes_of(const char *text)
{
    return (struct bytes){ (const uint8_t *)text, strlen(text) };
}

static inline bool bytes_equal(struct bytes bytes, const char *text)
{
    return bytes_same(bytes, bytes_of(text));
}

static inline bool bytes_begin(struct bytes bytes, const char *text)
{
    struct bytes front;
    return bytes_take(&bytes, strlen(text), &front) && bytes_equal(front, text);
}

#endif
