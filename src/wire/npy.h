/* NumPy's .npy (numpy.org/neps/nep-0001-npy-format.html): a header in Python's notation, the data.
 */
#ifndef I3D_WIRE_NPY_H
#define I3D_WIRE_NPY_H

#include <i3d/status.h>

#include "wire/buffer.h"
#include "wire/bytes.h"

enum { NPY_RANK_MAX = 8, NPY_HEADER_MAX = 1024 };

struct npy {
    char type[8]; /* "<f4"; ">" is big-endian, "|" of one byte */
    bool fortran; /* the first index runs fastest */
    int rank;
    int64_t shape[NPY_RANK_MAX];
    struct bytes data; /* a loan; its size is not yet checked against the shape */
};

i3d_status npy_parse(struct bytes file, struct npy *out);

/* The header of an array in C order. */
i3d_status npy_header(struct buffer *buffer, const char *type, int rank, const int64_t *shape);

#endif
