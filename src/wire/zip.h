/* Zip archives in memory (PKWARE's APPNOTE 6.3): entries that are stored or deflated; no
 * encryption, one disk. */
#ifndef I3D_WIRE_ZIP_H
#define I3D_WIRE_ZIP_H

#include <i3d/status.h>

#include "wire/buffer.h"
#include "wire/bytes.h"

#include <stdio.h>

struct zip_entry {
    struct bytes name, data; /* loans from the file; the data as they are in it */
    uint64_t size;           /* of the content */
    uint32_t checksum;       /* CRC-32 of the content */
    bool deflated;
};

struct zip {
    struct zip_entry *entries;
    size_t count, capacity;
};

/* Reads the directory of the archive `file`. */
i3d_status zip_open(struct bytes file, struct zip *out);
void zip_clear(struct zip *zip);
const struct zip_entry *zip_find(const struct zip *zip, const char *name); /* or NULL */

/* The content, checked: a loan from the file, or new memory in `*made` for memory_free(). */
i3d_status zip_read(const struct zip_entry *entry, struct bytes *out, uint8_t **made);

/* An archive being written to `stream`: entries are stored, each content beginning at a multiple
 * of `alignment`. */
struct zip_writer {
    FILE *stream;
    size_t alignment;
    struct buffer directory;
    uint64_t at;
    size_t count;
};

/* Adds an entry whose content is head and then data. */
i3d_status zip_add(struct zip_writer *writer, const char *name, struct bytes head,
                   struct bytes data);
i3d_status zip_finish(struct zip_writer *writer);
void zip_writer_clear(struct zip_writer *writer);

#endif
