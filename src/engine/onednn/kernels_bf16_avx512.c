#define LANES 16
#define TABLE kernels_bf16_avx512
#include "engine/onednn/vector_bf16.h"
#include "engine/onednn/kernels_template.h"
