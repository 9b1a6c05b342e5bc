/* A plug-in that finds out at its start that it cannot be used here. */
#include "plugin/guest.h"

#include "base/failure.h"

static i3d_status start(const struct plugin_host *host)
{
    guest_start(host);
    return failure(I3D_EUNSUPPORTED, "there is no card");
}

PLUGIN(failing) = { .abi = PLUGIN_ABI, .name = "failing", .start = start };
