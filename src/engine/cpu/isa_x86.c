/* Processors of x86-64. */
#include "engine/cpu/isa.h"
#include "engine/cpu/kernels.h"
#include "engine/cpu/primitive.h"
#include "engine/cpu/winograd.h"

#include <stddef.h>

enum isa isa_best(void)
{
    enum isa best = device_isa();
    return best == ISA_AVX2 && !__builtin_cpu_supports("fma") ? ISA_PLAIN : best;
}

const struct kernels *isa_kernels(enum isa isa, bool bf16)
{
    static const struct kernels *const tables[ISA_COUNT] = { &kernels_f32_plain, &kernels_f32_avx2,
                                                             &kernels_f32_avx512 };
    if (bf16)
        return isa == ISA_AVX512 ? &kernels_bf16_avx512 : NULL;
    return tables[isa];
}

const struct winograd_kernels *isa_winograd(enum isa isa)
{
    static const struct winograd_kernels *const tables[ISA_COUNT] = { &winograd_plain,
                                                                      &winograd_avx2,
                                                                      &winograd_avx512 };
    return tables[isa];
}
