#define LANES 8
#define ROWS 6
#define TABLE winograd_avx2
#include "engine/cpu/winograd_template.h"
