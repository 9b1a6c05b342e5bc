#include "engine/cpu/convolution.h"

extern const struct provider provider_winograd, provider_onednn;

const struct provider *const providers[] = { &provider_winograd, &provider_onednn, NULL };
