#define SUM float
#define CONV_FUNCTIONS conv_f32
#include "engine/reference/conv_template.h"
