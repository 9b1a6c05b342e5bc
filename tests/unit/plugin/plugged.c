/* The reference engine as a plug-in, under a name of its own. */
#include "engine/engine.h"
#include "plugin/guest.h"

extern const struct engine engine_reference;

static struct engine plugged;

static i3d_status start(const struct plugin_host *host)
{
    plugged = engine_reference;
    plugged.name = "plugged";
    plugged.speed = -1;
    return guest_start(host);
}

PLUGIN(plugged) = { .abi = PLUGIN_ABI,
                    .name = "plugged",
                    .start = start,
                    .engines = (const struct engine *const[]){ &plugged, NULL } };
