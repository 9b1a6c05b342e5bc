/* The tables that may have been compiled. */
#ifndef I3D_FLOW_KERNEL_LIST_H
#define I3D_FLOW_KERNEL_LIST_H

#include "flow/kernel.h"

extern const struct flow_kernels flow_kernels_c, flow_kernels_avx2, flow_kernels_avx512;

#endif
