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
    uint64_t budget; /* bytes that may still be unpacked: at first 256 MB and 16 times the file */
};

/* Reads the directory of the archive `file`. Entries that share bytes are I3D_EFORMAT. */
i3d_status zip_open(struct bytes file, struct zip *out);
void zip_clear(struct zip *zip);
const struct zip_entry *zip_find(const struct zip *zip, const char *name); /* or NULL */

/* The content, checked: a loan from the file, or new memory in `*made` for memory_free(). What is
 * unpacked comes out of the archive's budget; beyond that it is I3D_EFORMAT. */
i3d_status zip_read(struct zip *zip, const struct zip_entry *entry, struct bytes *out,
                    uint8_t **made);

/* The same in parts: each read gives exactly the next `bytes`, and the last one checks all. The
 * budget is asked at the open. */
struct zip_stream;
i3d_status zip_stream_open(struct zip *zip, const struct zip_entry *entry, struct zip_stream **out);
i3d_status zip_stream_read(struct zip_stream *stream, void *out, size_t bytes);
void zip_stream_close(struct zip_stream *stream); /* NULL is fine */

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
