#define LANES 8
#define ROWS 6
#define TABLE winograd_plain
#include "engine/cpu/winograd_template.h"
