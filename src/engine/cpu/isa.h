/* The instruction sets that kernels of ours are compiled for, and which tables each has. */
#ifndef I3D_ENGINE_CPU_ISA_H
#define I3D_ENGINE_CPU_ISA_H

#include <stdbool.h>

enum isa { ISA_PLAIN, ISA_AVX2, ISA_AVX512, ISA_COUNT };

/* The best one here: of those that the processor has and that oneDNN may use. */
enum isa isa_best(void);

/* Channels that lie side by side in the activations that oneDNN is fast with. */
static inline int isa_lanes(enum isa isa)
{
    return isa == ISA_AVX512 ? 16 : 8;
}

struct kernels;
struct winograd_kernels;

/* NULL: none was compiled for it. */
const struct kernels *isa_kernels(enum isa isa, bool bf16);
const struct winograd_kernels *isa_winograd(enum isa isa);

#endif
