#include "engine/cpu/overflow.h"

#include <fenv.h>

/* Each thread has flags of its own, which stay until they are cleared. */
enum { WATCHED = FE_OVERFLOW | FE_INVALID };

void overflow_forget(void)
{
#pragma omp parallel
    feclearexcept(WATCHED);
}

bool overflow_seen(void)
{
    int seen = 0;
#pragma omp parallel reduction(| : seen)
    seen |= fetestexcept(WATCHED);
    return seen != 0;
}
