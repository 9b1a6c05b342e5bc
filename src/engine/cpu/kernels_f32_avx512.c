#define LANES 16
#define TABLE kernels_f32_avx512
#include "engine/cpu/vector_f32.h"
#include "engine/cpu/kernels_template.h"
