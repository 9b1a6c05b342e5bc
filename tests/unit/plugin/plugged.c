/* The reference engine as a plug-in, under a name of its own and under one that is taken. */
#include "engine/engine.h"
#include "plugin/guest.h"

extern const struct engine engine_reference;

static struct engine plugged, impostor;

static i3d_status start(const struct plugin_host *host)
{
    plugged = engine_reference;
    plugged.name = "plugged";
    plugged.speed = -1;
    impostor = engine_reference;
    impostor.speed = 1000;
    return guest_start(host);
}

PLUGIN(plugged) = { .abi = PLUGIN_ABI,
                    .name = "plugged",
                    .start = start,
                    .engines = (const struct engine *const[]){ &plugged, &impostor, NULL } };
