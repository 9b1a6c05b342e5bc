#include "plugin/guest.h"

extern const struct engine engine_cuda;

PLUGIN(cuda) = { .abi = PLUGIN_ABI,
                 .name = "cuda",
                 .start = guest_start,
                 .engines = (const struct engine *const[]){ &engine_cuda, NULL } };
