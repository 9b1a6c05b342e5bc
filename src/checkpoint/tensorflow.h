/* The index of a TensorFlow bundle: what is where. */
#ifndef I3D_CHECKPOINT_TENSORFLOW_H
#define I3D_CHECKPOINT_TENSORFLOW_H

#include "checkpoint/format.h"

struct bundle_entry {
    char *name;
    uint64_t type, shard, offset, size; /* TensorFlow's DataType; in which file, and where */
    uint32_t checksum;                  /* masked CRC-32C of the data */
    int rank;
    int64_t shape[I3D_RANK_MAX];
};

struct bundle {
    struct bundle_entry *entries;
    size_t count, capacity;
    uint64_t shards; /* files of data */
};

i3d_status bundle_parse(struct bytes index, struct bundle *out);
void bundle_clear(struct bundle *bundle);

#endif
