/* TensorFlow's checkpoints: the index of a bundle, which tells what is where; what the two formats
 * have in common. */
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

/* TensorShapeProto into rank and shape. */
i3d_status tensorflow_shape(struct bytes message, struct bundle_entry *out);

/* Whether an entry is a text, which is said: it is no weight. */
bool tensorflow_is_text(const struct bundle_entry *entry);

/* The refusal of a tensor in parts: I3D_EUNSUPPORTED. */
i3d_status tensorflow_in_slices(const char *name);

/* An entry's DataType as one of ours; I3D_EUNSUPPORTED names those that are none. */
i3d_status tensorflow_dtype(const struct bundle_entry *entry, i3d_dtype *out);

#endif
