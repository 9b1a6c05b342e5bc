#include "plugin/plugin.h"

extern const struct engine engine_reference;

PLUGIN(reference) = { .abi = PLUGIN_ABI,
                      .name = "reference",
                      .engines = (const struct engine *const[]){ &engine_reference, NULL } };
