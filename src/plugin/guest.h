/* Inside a plug-in: base's functions, done by the library that opened it. */
#ifndef I3D_PLUGIN_GUEST_H
#define I3D_PLUGIN_GUEST_H

#include "plugin/plugin.h"

/* For a plug-in's `start`, which may do more after it. */
i3d_status guest_start(const struct plugin_host *host);

#endif
