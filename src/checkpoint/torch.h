/* What reading and writing PyTorch's files share. */
#ifndef I3D_CHECKPOINT_TORCH_H
#define I3D_CHECKPOINT_TORCH_H

#include "checkpoint/format.h"

/* "FloatStorage" */
const char *torch_storage_name(i3d_dtype dtype);

/* A state dict in the zip form, as torch.save() lays it out. */
i3d_status write_torch(FILE *stream, const i3d_weights *weights);

#endif
