#define KERNELS flow_kernels_avx2
#define KERNELS_NAME "avx2"
#include "flow/kernel_list.h"
#include "flow/kernel_rows.h"
