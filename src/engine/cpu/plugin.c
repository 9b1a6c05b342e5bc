#include "plugin/plugin.h"

extern const struct engine engine_cpu;

PLUGIN(cpu) = { .abi = PLUGIN_ABI,
                .name = "cpu",
                .engines = (const struct engine *const[]){ &engine_cpu, NULL } };
