/* A plug-in of another ABI: its start must not be called. */
#include "plugin/plugin.h"

#include <stdlib.h>

static i3d_status start(const struct plugin_host *host)
{
    (void)host;
    abort();
}

PLUGIN(old) = { .abi = PLUGIN_ABI + 1, .name = "old", .start = start };
