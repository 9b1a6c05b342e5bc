#include "comm/comm.h"

#include "plugin/plugin.h"

/* The first kind of a plug-in that this process was started by. */
i3d_status comm_open(struct comm *out)
{
    const struct plugin *plugin;
    for (size_t p = 0; (plugin = plugin_at(p)) != NULL; p++)
        for (size_t k = 0; plugin->comms && plugin->comms[k]; k++)
            if (plugin->comms[k]->available() == I3D_OK)
                return plugin->comms[k]->open(out);
    *out = comm_self();
    return I3D_OK;
}

void comm_close(struct comm *comm)
{
    if (comm->kind)
        comm->kind->close(comm);
    *comm = (struct comm){ 0 };
}
