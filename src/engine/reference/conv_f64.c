#define SUM double
#define CONV_FUNCTIONS conv_f64
#include "engine/reference/conv_template.h"
