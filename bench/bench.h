/* What the bench programs share. */
#ifndef I3D_BENCH_BENCH_H
#define I3D_BENCH_BENCH_H

#include <i3d/status.h>

#include "base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline void bench_check(i3d_status status)
{
    if (status == I3D_OK)
        return;
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, i3d_error());
    exit(1);
}

/* Seconds of a clock: CLOCK_MONOTONIC, or CLOCK_THREAD_CPUTIME_ID beside other work. */
static inline double bench_now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Numbers in [-1, 1) on whole cache lines, with one line more behind them; free() them. */
static inline float *bench_draw(size_t count)
{
    struct random random = random_for(1, RANDOM_TRIAL, 0, 0);
    float *floats = aligned_alloc(64, (count * sizeof *floats + 127) / 64 * 64);
    if (!floats) {
        fprintf(stderr, "%s: no memory for %zu numbers\n", program_invocation_short_name, count);
        exit(1);
    }
    for (size_t i = 0; i < count; i++)
        floats[i] = (float)(2 * random_unit(&random) - 1);
    return floats;
}

#endif
