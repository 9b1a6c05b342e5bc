/* Processors without kernels of their own. */
#include "flow/kernel_list.h"

const struct flow_kernels *const *flow_kernels_all(void)
{
    static const struct flow_kernels *const plain[] = { &flow_kernels_c, NULL };
    return plain;
}
