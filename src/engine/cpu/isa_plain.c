/* Processors without kernels of their own. */
#include "engine/cpu/isa.h"
#include "engine/cpu/kernels.h"
#include "engine/cpu/winograd.h"

#include <stddef.h>

enum isa isa_best(void)
{
    return ISA_PLAIN;
}

const struct kernels *isa_kernels(enum isa isa, bool bf16)
{
    return isa == ISA_PLAIN && !bf16 ? &kernels_f32_plain : NULL;
}

const struct winograd_kernels *isa_winograd(enum isa isa)
{
    return isa == ISA_PLAIN ? &winograd_plain : NULL;
}
