#define KERNELS flow_kernels_c
#define KERNELS_NAME "c"
#include "flow/kernel_list.h"
#include "flow/kernel_rows.h"
