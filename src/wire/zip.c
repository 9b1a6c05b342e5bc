#include "wire/zip.h"

#include "base/failure.h"
#include "base/memory.h"

#include <stdlib.h>
#define ZLIB_CONST
#include <zlib.h>

enum {
    LOCAL_MARK = 0x04034b50,
    ENTRY_MARK = 0x02014b50,
    END_MARK = 0x06054b50,
    END64_MARK = 0x06064b50,
    LOCATOR64_MARK = 0x07064b50,
    LOCAL_BYTES = 30,
    ENTRY_BYTES = 46,
    END_BYTES = 22,
    END64_BYTES = 56,
    LOCATOR64_BYTES = 20,
    /* Weights hardly pack; but a training's first moments are zeros. */
    BUDGET_RATIO = 16,
    BUDGET_ANYHOW = 256 << 20
};

/* A little-endian number at a place that was checked to be there. */
static uint64_t number_at(const uint8_t *at, size_t size)
{
    struct bytes bytes = { at, size };
    uint64_t value = 0;
    bytes_number(&bytes, size, &value);
    return value;
}

static i3d_status damaged(const char *what)
{
    return failure(I3D_EFORMAT, "the zip archive's %s is cut off or damaged: copy it again", what);
}

/* The end record, behind which only a comment may stand. */
static const uint8_t *find_end(struct bytes file)
{
    for (size_t comment = 0; comment <= UINT16_MAX && comment + END_BYTES <= file.count;
         comment++) {
        const uint8_t *end = file.at + file.count - comment - END_BYTES;
        if (number_at(end, 4) == END_MARK && number_at(end + 20, 2) == comment)
            return end;
    }
    return NULL;
}

/* Where the directory is: count of entries and their bytes. */
static i3d_status find_directory(struct bytes file, uint64_t *count, struct bytes *out)
{
    const uint8_t *end = find_end(file);
    if (!end)
        return damaged("end");
    *count = number_at(end + 10, 2);
    uint64_t bytes = number_at(end + 12, 4), at = number_at(end + 16, 4);
    bool wide = *count == UINT16_MAX || bytes == UINT32_MAX || at == UINT32_MAX;
    if (wide && end - file.at >= LOCATOR64_BYTES &&
        number_at(end - LOCATOR64_BYTES, 4) == LOCATOR64_MARK) {
        uint64_t place = number_at(end - LOCATOR64_BYTES + 8, 8);
        if (place > file.count || file.count - place < END64_BYTES ||
            number_at(file.at + place, 4) != END64_MARK)
            return damaged("64-bit end");
        *count = number_at(file.at + place + 32, 8);
        bytes = number_at(file.at + place + 40, 8);
        at = number_at(file.at + place + 48, 8);
    }
    struct bytes before;
    if (!bytes_take(&file, at, &before) || !bytes_take(&file, bytes, out))
        return damaged("directory");
    return I3D_OK;
}

/* Sizes and place that do not fit 32 bits stand in the extra field 1, in this order. */
static bool widen(struct bytes extra, uint64_t *size, uint64_t *packed, uint64_t *at)
{
    uint64_t kind, length;
    struct bytes field;
    uint64_t *const values[] = { size, packed, at };
    while (bytes_number(&extra, 2, &kind)) {
        if (!bytes_number(&extra, 2, &length) || !bytes_take(&extra, length, &field))
            return false;
        for (int i = 0; kind == 1 && i < 3; i++)
            if (*values[i] == UINT32_MAX && !bytes_number(&field, 8, values[i]))
                return false;
    }
    return true;
}

/* Takes one entry from the directory and finds its data. */
static i3d_status read_entry(struct bytes file, struct bytes *directory, struct zip_entry *out)
{
    struct bytes head, extra, comment, before;
    if (!bytes_take(directory, ENTRY_BYTES, &head) || number_at(head.at, 4) != ENTRY_MARK)
        return damaged("directory");
    uint64_t flags = number_at(head.at + 8, 2), method = number_at(head.at + 10, 2);
    uint64_t packed = number_at(head.at + 20, 4), at = number_at(head.at + 42, 4);
    out->size = number_at(head.at + 24, 4);
    out->checksum = (uint32_t)number_at(head.at + 16, 4);
    out->deflated = method == Z_DEFLATED;
    if (!bytes_take(directory, number_at(head.at + 28, 2), &out->name) ||
        !bytes_take(directory, number_at(head.at + 30, 2), &extra) ||
        !bytes_take(directory, number_at(head.at + 32, 2), &comment) ||
        !widen(extra, &out->size, &packed, &at))
        return damaged("directory");
    if ((flags & 1) || (method != 0 && method != Z_DEFLATED))
        return failure(I3D_EUNSUPPORTED,
                       "the zip archive's entry '%.*s' is encrypted or packed by method %d; only "
                       "stored and deflated ones can be read",
                       BYTES_TEXT(out->name), (int)method);
    if (!bytes_take(&file, at, &before) || !bytes_take(&file, LOCAL_BYTES, &head) ||
        number_at(head.at, 4) != LOCAL_MARK ||
        !bytes_take(&file, number_at(head.at + 26, 2) + number_at(head.at + 28, 2), &before) ||
        !bytes_take(&file, packed, &out->data))
        return damaged("entry");
    return I3D_OK;
}

/* Empty ones stand before what begins where they do. */
static int by_place(const void *a, const void *b)
{
    const struct bytes *left = a, *right = b;
    if (left->at == right->at)
        return (left->count > right->count) - (left->count < right->count);
    return left->at < right->at ? -1 : 1;
}

/* No two entries, nor one and the directory, have a byte in common: a small file in which they had
 * would stand for a large one. */
static i3d_status check_places(const struct zip *zip, struct bytes directory)
{
    struct bytes *places = NULL;
    i3d_status status;
    TRY(memory_get(zip->count + 1, sizeof *places, &places));
    for (size_t i = 0; i < zip->count; i++)
        places[i] = zip->entries[i].data;
    places[zip->count] = directory;
    qsort(places, zip->count + 1, sizeof *places, by_place);
    for (size_t i = 0; i < zip->count && status == I3D_OK; i++)
        if (places[i].count > (size_t)(places[i + 1].at - places[i].at))
            status = failure(I3D_EFORMAT, "entries of the zip archive share bytes: it is damaged, "
                                          "or made to unpack without end");
out:
    memory_free(places);
    return status;
}

i3d_status zip_open(struct bytes file, struct zip *out)
{
    struct bytes directory = { 0 }, rest;
    struct zip_entry entry;
    uint64_t count = 0;
    i3d_status status;
    *out = (struct zip){ .budget = BUDGET_ANYHOW + BUDGET_RATIO * (uint64_t)file.count };
    TRY(find_directory(file, &count, &directory));
    rest = directory;
    for (uint64_t i = 0; i < count; i++) {
        TRY(read_entry(file, &rest, &entry));
        TRY(memory_grow(&out->entries, &out->capacity, out->count + 1, sizeof entry));
        out->entries[out->count++] = entry;
    }
    TRY(check_places(out, directory));
out:
    if (status != I3D_OK)
        zip_clear(out);
    return status;
}

void zip_clear(struct zip *zip)
{
    memory_free(zip->entries);
    *zip = (struct zip){ 0 };
}

const struct zip_entry *zip_find(const struct zip *zip, const char *name)
{
    for (size_t i = 0; i < zip->count; i++)
        if (bytes_equal(zip->entries[i].name, name))
            return &zip->entries[i];
    return NULL;
}

struct zip_stream {
    const struct zip_entry *entry;
    z_stream packed;
    uint64_t left; /* of the content */
    uint32_t checksum;
};

/* Deflate packs 1032 to 1 at best: a larger promise is a lie, not a reason to take memory. */
static i3d_status take_budget(struct zip *zip, const struct zip_entry *entry)
{
    if (entry->size / 1032 > entry->data.count || entry->data.count > UINT32_MAX)
        return damaged("entry");
    if (entry->size > zip->budget)
        return failure(I3D_EFORMAT,
                       "the zip archive's entry '%.*s' would unpack to %llu bytes: with all before "
                       "it more than 16 times the archive and 256 MB; if it is what you want, save "
                       "it without compression",
                       BYTES_TEXT(entry->name), (unsigned long long)entry->size);
    zip->budget -= entry->size;
    return I3D_OK;
}

i3d_status zip_stream_open(struct zip *zip, const struct zip_entry *entry, struct zip_stream **out)
{
    struct zip_stream *stream = NULL;
    i3d_status status;
    *out = NULL;
    if (!entry->deflated && entry->size != entry->data.count)
        return damaged("entry");
    if (entry->deflated)
        TRY(take_budget(zip, entry));
    TRY(memory_get(1, sizeof *stream, &stream));
    stream->entry = entry;
    stream->left = entry->size;
    stream->packed.next_in = entry->data.at;
    stream->packed.avail_in = (uInt)entry->data.count;
    if (entry->deflated && inflateInit2(&stream->packed, -MAX_WBITS) != Z_OK)
        TRY(failure(I3D_ENOMEM, "no memory to unpack a zip archive"));
    *out = stream;
    stream = NULL;
out:
    zip_stream_close(stream);
    return status;
}

/* In steps whose length fits zlib's counter. */
static bool inflate_part(z_stream *packed, uint8_t *out, size_t bytes)
{
    enum { STEP = 1 << 30 };
    while (bytes) {
        size_t step = bytes < STEP ? bytes : STEP;
        packed->next_out = out;
        packed->avail_out = (uInt)step;
        int result = inflate(packed, Z_SYNC_FLUSH);
        if (packed->avail_out || (result != Z_OK && result != Z_STREAM_END))
            return false;
        out += step;
        bytes -= step;
    }
    return true;
}

/* Nothing is left in the entry, packed or not. */
static bool is_at_end(struct zip_stream *stream)
{
    uint8_t more;
    if (!stream->entry->deflated)
        return true;
    stream->packed.next_out = &more;
    stream->packed.avail_out = 1;
    return inflate(&stream->packed, Z_FINISH) == Z_STREAM_END && stream->packed.avail_out == 1;
}

i3d_status zip_stream_read(struct zip_stream *stream, void *out, size_t bytes)
{
    const struct zip_entry *entry = stream->entry;
    bool whole = bytes <= stream->left;
    if (whole && entry->deflated)
        whole = inflate_part(&stream->packed, out, bytes);
    else if (whole && bytes)
        memcpy(out, entry->data.at + (entry->size - stream->left), bytes);
    if (whole) {
        stream->checksum = (uint32_t)crc32_z(stream->checksum, out, bytes);
        stream->left -= bytes;
    }
    if (whole && (stream->left || (stream->checksum == entry->checksum && is_at_end(stream))))
        return I3D_OK;
    return failure(I3D_EFORMAT,
                   "the zip archive's entry '%.*s' is damaged: its checksum or its size is wrong: "
                   "copy it again",
                   BYTES_TEXT(entry->name));
}

void zip_stream_close(struct zip_stream *stream)
{
    if (stream && stream->entry && stream->entry->deflated)
        inflateEnd(&stream->packed);
    memory_free(stream);
}

static i3d_status unpack(struct zip *zip, const struct zip_entry *entry, uint8_t **made)
{
    struct zip_stream *stream;
    i3d_status status = zip_stream_open(zip, entry, &stream);
    if (status != I3D_OK)
        return status;
    TRY(memory_get(entry->size, 1, made));
    TRY(zip_stream_read(stream, *made, entry->size));
out:
    zip_stream_close(stream);
    return status;
}

i3d_status zip_read(struct zip *zip, const struct zip_entry *entry, struct bytes *out,
                    uint8_t **made)
{
    i3d_status status = I3D_OK;
    *made = NULL;
    *out = entry->data;
    if (entry->deflated) {
        TRY(unpack(zip, entry, made));
        *out = (struct bytes){ *made, entry->size };
    } else if (out->count != entry->size || crc32_z(0, out->at, out->count) != entry->checksum) {
        status = failure(I3D_EFORMAT,
                         "the zip archive's entry '%.*s' is damaged: its checksum or its size is "
                         "wrong: copy it again",
                         BYTES_TEXT(entry->name));
    }
out:
    if (status != I3D_OK) {
        memory_free(*made);
        *made = NULL;
    }
    return status;
}

/* What the local header and the directory say alike of an entry: version to the name's length. */
static i3d_status add_common(struct buffer *buffer, uint32_t checksum, size_t size, size_t name)
{
    i3d_status status;
    TRY(buffer_number(buffer, 2, 20));
    TRY(buffer_number(buffer, 2, 1 << 11)); /* the name is UTF-8 */
    TRY(buffer_number(buffer, 2, 0));
    TRY(buffer_number(buffer, 4, 0x00210000)); /* 1980-01-01: the same weights, the same bytes */
    TRY(buffer_number(buffer, 4, checksum));
    TRY(buffer_number(buffer, 4, size));
    TRY(buffer_number(buffer, 4, size));
    TRY(buffer_number(buffer, 2, name));
out:
    return status;
}

/* The local header, with an extra field of zeros that brings the content to the alignment. */
static i3d_status add_local(const struct zip_writer *writer, const char *name, uint32_t checksum,
                            size_t size, struct buffer *out)
{
    i3d_status status;
    size_t length = strlen(name);
    size_t begin = writer->at + LOCAL_BYTES + length + 4;
    size_t padding = (writer->alignment - begin % writer->alignment) % writer->alignment;
    TRY(buffer_number(out, 4, LOCAL_MARK));
    TRY(add_common(out, checksum, size, length));
    TRY(buffer_number(out, 2, padding + 4));
    TRY(buffer_add(out, name, length));
    TRY(buffer_number(out, 2, 0x4246)); /* "FB", PyTorch's own padding field */
    TRY(buffer_number(out, 2, padding));
    for (size_t i = 0; i < padding; i++)
        TRY(buffer_number(out, 1, 'Z'));
out:
    return status;
}

static i3d_status add_directory(struct zip_writer *writer, const char *name, uint32_t checksum,
                                size_t size)
{
    struct buffer *directory = &writer->directory;
    i3d_status status;
    TRY(buffer_number(directory, 4, ENTRY_MARK));
    TRY(buffer_number(directory, 2, 20));
    TRY(add_common(directory, checksum, size, strlen(name)));
    TRY(buffer_number(directory, 8, 0)); /* extra, comment, disk, internal attributes */
    TRY(buffer_number(directory, 4, 0));
    TRY(buffer_number(directory, 4, writer->at));
    TRY(buffer_add(directory, name, strlen(name)));
out:
    return status;
}

i3d_status zip_add(struct zip_writer *writer, const char *name, struct bytes head,
                   struct bytes data)
{
    struct buffer local = { 0 };
    size_t size = head.count + data.count;
    i3d_status status;
    if (writer->at + size > INT32_MAX || writer->count == UINT16_MAX || strlen(name) > 1024)
        return failure(I3D_EUNSUPPORTED,
                       "zip archives of more than 2 GB or 65535 entries are not written: choose "
                       "another format");
    uint32_t checksum = (uint32_t)crc32_z(crc32_z(0, head.at, head.count), data.at, data.count);
    TRY(add_local(writer, name, checksum, size, &local));
    TRY(add_directory(writer, name, checksum, size));
    fwrite(local.data, 1, local.count, writer->stream);
    if (head.count)
        fwrite(head.at, 1, head.count, writer->stream);
    if (data.count)
        fwrite(data.at, 1, data.count, writer->stream);
    writer->at += local.count + size;
    writer->count++;
out:
    buffer_clear(&local);
    return status;
}

i3d_status zip_finish(struct zip_writer *writer)
{
    struct buffer *directory = &writer->directory;
    size_t bytes = directory->count;
    i3d_status status;
    TRY(buffer_number(directory, 4, END_MARK));
    TRY(buffer_number(directory, 4, 0)); /* disks */
    TRY(buffer_number(directory, 2, writer->count));
    TRY(buffer_number(directory, 2, writer->count));
    TRY(buffer_number(directory, 4, bytes));
    TRY(buffer_number(directory, 4, writer->at));
    TRY(buffer_number(directory, 2, 0)); /* comment */
    fwrite(directory->data, 1, directory->count, writer->stream);
out:
    return status;
}

void zip_writer_clear(struct zip_writer *writer)
{
    buffer_clear(&writer->directory);
}
