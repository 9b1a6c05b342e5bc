#define LANES 16
#define TABLE kernels_bf16_avx512
#include "engine/cpu/vector_bf16.h"
#include "engine/cpu/kernels_template.h"
