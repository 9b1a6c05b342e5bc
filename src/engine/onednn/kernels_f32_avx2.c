#define LANES 8
#define TABLE kernels_f32_avx2
#include "engine/onednn/vector_f32.h"
#include "engine/onednn/kernels_template.h"
