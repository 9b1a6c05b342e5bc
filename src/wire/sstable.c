#include "wire/sstable.h"

#include "base/failure.h"
#include "wire/buffer.h"

enum { FOOTER_BYTES = 48, TRAILER_BYTES = 5, KEY_MAX = 1024 };

static const uint8_t magic[8] = { 0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb };

/* A fuzzer would never get past a checksum; clang defines this name where it builds one. */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
enum { COMPARE_CHECKSUMS = false };
#else
enum { COMPARE_CHECKSUMS = true };
#endif

static i3d_status damaged(void)
{
    return failure(I3D_EFORMAT, "its table is damaged or cut off: copy it again");
}

uint32_t crc32c(struct bytes bytes)
{
    uint32_t table[256], sum = UINT32_MAX;
    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0x82f63b78u : 0);
    }
    for (size_t i = 0; i < bytes.count; i++)
        sum = sum >> 8 ^ table[(sum ^ bytes.at[i]) & 0xff];
    return ~sum;
}

uint32_t crc32c_masked(struct bytes bytes)
{
    uint32_t sum = crc32c(bytes);
    return (sum >> 15 | sum << 17) + 0xa282ead8u;
}

bool sstable_is(struct bytes file)
{
    return file.count >= FOOTER_BYTES &&
           memcmp(file.at + file.count - sizeof magic, magic, sizeof magic) == 0;
}

bool sstable_first(struct bytes file, struct bytes *key, struct bytes *value)
{
    uint64_t shared, own, length;
    return sstable_is(file) && bytes_varint(&file, &shared) && bytes_varint(&file, &own) &&
           bytes_varint(&file, &length) && shared == 0 && bytes_take(&file, own, key) &&
           bytes_take(&file, length, value);
}

/* The block that the front of `handle` points to, its checksum right. */
static i3d_status find_block(struct bytes file, struct bytes *handle, struct bytes *out)
{
    uint64_t offset, size, kind = 0, wanted = 0;
    struct bytes part;
    if (!bytes_varint(handle, &offset) || !bytes_varint(handle, &size) ||
        !bytes_take(&file, offset, &part) || !bytes_take(&file, size, out) ||
        !bytes_number(&file, 1, &kind) || !bytes_number(&file, 4, &wanted))
        return damaged();
    if (COMPARE_CHECKSUMS && crc32c_masked((struct bytes){ out->at, out->count + 1 }) != wanted)
        return failure(I3D_EFORMAT, "a checksum in its table is wrong: copy it again");
    if (kind != 0)
        return failure(I3D_EUNSUPPORTED, "its table is compressed (kind %d), not known here",
                       (int)kind);
    return I3D_OK;
}

/* A block is entries (bytes shared with the key before, bytes of its own, bytes of the value, key,
 * value), then restart points of 4 bytes each and their number. */
static i3d_status each_in_block(struct bytes block,
                                i3d_status (*entry)(struct bytes, struct bytes, void *),
                                void *context)
{
    struct buffer key = { 0 };
    struct bytes end = block, part, value;
    uint64_t restarts, shared, own, length;
    i3d_status status = I3D_OK;
    if (!bytes_take(&end, block.count < 4 ? block.count : block.count - 4, &part) ||
        !bytes_number(&end, 4, &restarts) || restarts > (block.count - 4) / 4)
        return damaged();
    block.count -= 4 + 4 * restarts;
    while (block.count > 0) {
        if (!bytes_varint(&block, &shared) || !bytes_varint(&block, &own) ||
            !bytes_varint(&block, &length) || shared > key.count || own > KEY_MAX - shared ||
            !bytes_take(&block, own, &part) || !bytes_take(&block, length, &value)) {
            status = damaged();
            goto out;
        }
        key.count = shared;
        TRY(buffer_add(&key, part.at, part.count));
        TRY(entry((struct bytes){ key.data, key.count }, value, context));
    }
out:
    buffer_clear(&key);
    return status;
}

/* What goes through the index block, whose values are handles of the data blocks. */
struct walk {
    struct bytes file;
    size_t room; /* bytes of data blocks there may still be: none is there twice */
    i3d_status (*entry)(struct bytes, struct bytes, void *);
    void *context;
};

static i3d_status each_block(struct bytes key, struct bytes handle, void *context)
{
    struct walk *walk = context;
    struct bytes block = { 0 };
    i3d_status status;
    (void)key;
    TRY(find_block(walk->file, &handle, &block));
    if (block.count > walk->room)
        return damaged();
    walk->room -= block.count;
    TRY(each_in_block(block, walk->entry, walk->context));
out:
    return status;
}

i3d_status sstable_each(struct bytes file,
                        i3d_status (*entry)(struct bytes key, struct bytes value, void *context),
                        void *context)
{
    struct walk walk = { file, file.count, entry, context };
    struct bytes footer, index = { 0 };
    uint64_t ignored;
    i3d_status status;
    if (!sstable_is(file))
        return damaged();
    footer = (struct bytes){ file.at + file.count - FOOTER_BYTES, FOOTER_BYTES };
    /* In front of the index's handle is one of a block of filters. */
    if (!bytes_varint(&footer, &ignored) || !bytes_varint(&footer, &ignored))
        return damaged();
    TRY(find_block(file, &footer, &index));
    TRY(each_in_block(index, each_block, &walk));
out:
    return status;
}
