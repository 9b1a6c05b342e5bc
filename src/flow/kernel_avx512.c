#define KERNELS flow_kernels_avx512
#define KERNELS_NAME "avx512"
#include "flow/kernel_list.h"
#include "flow/kernel_rows.h"
