#define LANES 8
#define TABLE kernels_f32_plain
#include "engine/cpu/vector_f32.h"
#include "engine/cpu/kernels_template.h"
