/* Sums that overflow within a convolution and its ReLU: oneDNN's takes a NaN for 0, so the result
 * does not tell. The flags of the floating-point units do, and cost nothing. */
#ifndef I3D_ENGINE_CPU_OVERFLOW_H
#define I3D_ENGINE_CPU_OVERFLOW_H

#include <stdbool.h>

/* In all threads of the OpenMP team, as large as it is now. */
void overflow_forget(void);

/* Since overflow_forget(): a number became infinite, or there was a NaN. */
bool overflow_seen(void);

#endif
