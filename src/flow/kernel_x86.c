/* Which kernels an x86 processor can run. */
#include "flow/kernel_list.h"

const struct flow_kernels *const *flow_kernels_all(void)
{
    static const struct flow_kernels *const up_to_avx512[] = { &flow_kernels_c, &flow_kernels_avx2,
                                                               &flow_kernels_avx512, NULL };
    static const struct flow_kernels *const up_to_avx2[] = { &flow_kernels_c, &flow_kernels_avx2,
                                                             NULL };
    static const struct flow_kernels *const plain[] = { &flow_kernels_c, NULL };

    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return up_to_avx512;
    return __builtin_cpu_supports("avx2") ? up_to_avx2 : plain;
}
