/* A kernel as phases between barriers, for two compilers.
 *
 * nvcc makes it a kernel: a phase is done by all threads of a block at once, a barrier stands
 * between two. A C compiler makes it a function: a phase is a loop over the threads of a block, a
 * launch is a loop over the blocks. So what a thread finds out in one phase and needs in the next
 * stands in shared memory, and threads of one phase do not meet.
 *
 *     TYPED_KERNEL(double_up, struct double_args)
 *     {
 *         SHARED(float, seen, THREADS);
 *         PHASE(thread)
 *         seen[thread] = load1(args.in, (size_t)BLOCK.x * THREADS + thread, type);
 *         NEXT_PHASE(thread)
 *         ...
 *     }
 *
 * `continue` ends a thread's part of a phase. A phase is a statement: its loop's body. */
#ifndef I3D_ENGINE_CUDA_PHASE_H
#define I3D_ENGINE_CUDA_PHASE_H

#include "engine/cuda/kernels/kernels.h"

enum { THREADS = 256 }; /* of every block */

#ifdef __CUDACC__

#define DEVICE static __device__ __forceinline__
#define UNROLL _Pragma("unroll")
#define BLOCK blockIdx
#define SHARED(type, name, count) __shared__ type name[count]
#define BARRIER __syncthreads();
#define EACH_THREAD(thread) for (unsigned thread = threadIdx.x, turn = 0; turn < 1; turn++)
#define KERNEL(name, arguments)                                                                    \
    static __global__ void __launch_bounds__(THREADS) name(const __grid_constant__ arguments args)
#define NARROW_KERNEL(name, arguments)                                                             \
    static __global__ void __launch_bounds__(THREADS)                                              \
        name(const __grid_constant__ arguments args, const enum element type)
#define BODY(name, arguments)                                                                      \
    static __device__ __forceinline__ void name(const arguments &args, const enum element type,    \
                                                const bool wide)
#define CALL_BODY(name, type, wide) name(args, type, wide)
#define LAUNCH(name, grid_x, grid_y, stream, ...)                                                  \
    name<<<dim3((unsigned)(grid_x), (unsigned)(grid_y)), THREADS, 0, stream>>>(__VA_ARGS__)

#else

struct kernel_block {
    unsigned x, y;
};

/* Blocks and threads come in any order on a card. A twin that is compiled with KERNELS_BACKWARDS
 * takes the last ones first, and its shared memory holds no numbers before it is written: what
 * threads of one phase take from each other shows. */
#ifdef KERNELS_BACKWARDS
#include <string.h>
#define IN_ORDER(number, count) ((count)-1 - (number))
#define SHARED(type, name, count)                                                                  \
    type name[count];                                                                              \
    memset(name, 0xff, sizeof name)
#else
#define IN_ORDER(number, count) (number)
#define SHARED(type, name, count) type name[count]
#endif
#define DEVICE static inline
#define UNROLL
#define BLOCK block_
#define BARRIER
#define EACH_THREAD(thread)                                                                        \
    for (unsigned turn = 0, thread; thread = IN_ORDER(turn, THREADS), turn < THREADS; turn++)
#define KERNEL(name, arguments)                                                                    \
    static void name(__attribute__((unused)) struct kernel_block BLOCK, const arguments args)
#define NARROW_KERNEL(name, arguments)                                                             \
    static void name(struct kernel_block BLOCK, const arguments args, const enum element type)
#define BODY(name, arguments)                                                                      \
    static void name(struct kernel_block BLOCK, const arguments args, const enum element type,     \
                     const bool wide)
#define CALL_BODY(name, type, wide) name(BLOCK, args, type, wide)
#define LAUNCH(name, grid_x, grid_y, stream, ...)                                                  \
    do {                                                                                           \
        unsigned across = (unsigned)(grid_x), down = (unsigned)(grid_y);                           \
        (void)(stream);                                                                            \
        for (unsigned y = 0; y < down; y++)                                                        \
            for (unsigned x = 0; x < across; x++) {                                                \
                struct kernel_block place = { IN_ORDER(x, across), IN_ORDER(y, down) };            \
                name(place, __VA_ARGS__);                                                          \
            }                                                                                      \
    } while (0)

#endif

/* The first phase of a kernel; a second first one does not compile. */
#define PHASE(thread)                                                                              \
    enum { first_phase };                                                                          \
    EACH_THREAD(thread)
#define NEXT_PHASE(thread) BARRIER EACH_THREAD(thread)

/* TYPED_KERNEL(name, arguments) { } makes the kernels that LAUNCH_TYPED chooses from. Its body is
 * compiled for each `type` of element with `wide` accesses of 16 bytes, and once for what is not
 * wide, whatever its type. */
#define TYPED_KERNEL(name, arguments)                                                              \
    BODY(name, arguments);                                                                         \
    KERNEL(name##_f32, arguments)                                                                  \
    {                                                                                              \
        CALL_BODY(name, ELEMENT_F32, true);                                                        \
    }                                                                                              \
    KERNEL(name##_bf16, arguments)                                                                 \
    {                                                                                              \
        CALL_BODY(name, ELEMENT_BF16, true);                                                       \
    }                                                                                              \
    KERNEL(name##_f16, arguments)                                                                  \
    {                                                                                              \
        CALL_BODY(name, ELEMENT_F16, true);                                                        \
    }                                                                                              \
    NARROW_KERNEL(name##_narrow, arguments)                                                        \
    {                                                                                              \
        CALL_BODY(name, type, false);                                                              \
    }                                                                                              \
    BODY(name, arguments)

#define LAUNCH_TYPED(type, wide, name, grid_x, grid_y, stream, args)                               \
    do {                                                                                           \
        if (!(wide))                                                                               \
            LAUNCH(name##_narrow, grid_x, grid_y, stream, args, type);                             \
        else if ((type) == ELEMENT_F32)                                                            \
            LAUNCH(name##_f32, grid_x, grid_y, stream, args);                                      \
        else if ((type) == ELEMENT_BF16)                                                           \
            LAUNCH(name##_bf16, grid_x, grid_y, stream, args);                                     \
        else                                                                                       \
            LAUNCH(name##_f16, grid_x, grid_y, stream, args);                                      \
    } while (0)

/* Phases that sum a block's numbers, THREADS of them in shared memory, into the first. */
#define SUM_BLOCK(sums)                                                                            \
    for (unsigned half = THREADS / 2; half > 0; half /= 2) {                                       \
        NEXT_PHASE(thread)                                                                         \
        {                                                                                          \
            if (thread < half)                                                                     \
                (sums)[thread] += (sums)[thread + half];                                           \
        }                                                                                          \
    }

#endif
