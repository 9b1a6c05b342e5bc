#define LANES 16
#define ROWS 12
#define TABLE winograd_avx512
#include "engine/cpu/winograd_template.h"
