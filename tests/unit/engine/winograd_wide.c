/* The kernels of sixteen lanes without AVX-512, so that every CPU can test them. */
#define LANES 16
#define ROWS 12
#define TABLE winograd_wide
#include "engine/cpu/winograd_template.h"
