/* Sorted tables of keys and values as LevelDB and TensorFlow write them
 * (github.com/google/leveldb/blob/main/doc/table_format.md); blocks must not be compressed. */
#ifndef I3D_WIRE_SSTABLE_H
#define I3D_WIRE_SSTABLE_H

#include <i3d/status.h>

#include "wire/bytes.h"

bool sstable_is(struct bytes file);

/* The first entry, without looking at checksums: what kind of table it is. */
bool sstable_first(struct bytes file, struct bytes *key, struct bytes *value);

/* Gives every entry to `entry`, in their order, until one fails. The key is a loan for the call. */
i3d_status sstable_each(struct bytes file,
                        i3d_status (*entry)(struct bytes key, struct bytes value, void *context),
                        void *context);

/* CRC-32C (Castagnoli), and the form in which tables keep it. */
uint32_t crc32c(struct bytes bytes);
uint32_t crc32c_masked(struct bytes bytes);

#endif
