/* cuDNN's part of convolution.h that is more than the plan needs. */
#ifndef I3D_ENGINE_CUDA_CUDNN_H
#define I3D_ENGINE_CUDA_CUDNN_H

#include "engine/cuda/convolution.h"

/* For a card that is not there, described in cuDNN's JSON: it plans and never runs. */
i3d_status convolver_create_without_card(const char *properties,
                                         const struct convolver_options *options,
                                         struct convolver **out);

#endif
