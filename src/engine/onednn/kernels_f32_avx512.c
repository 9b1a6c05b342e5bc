#define LANES 16
#define TABLE kernels_f32_avx512
#include "engine/onednn/vector_f32.h"
#include "engine/onednn/kernels_template.h"
