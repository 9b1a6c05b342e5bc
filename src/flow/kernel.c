#include "flow/kernel.h"

const struct flow_kernels *flow_kernels_best(void)
{
    const struct flow_kernels *const *all = flow_kernels_all();
    while (all[1])
        all++;
    return all[0];
}
