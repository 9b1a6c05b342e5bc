#include "engine/engine.h"

#include "base/failure.h"

#include <string.h>

static i3d_status find_fastest(const struct engine **out)
{
    i3d_status status = I3D_EUNSUPPORTED;
    for (int i = 0; engines[i]; i++) {
        status = engines[i]->available();
        if (status == I3D_OK) {
            *out = engines[i];
            return I3D_OK;
        }
    }
    return status;
}

i3d_status engine_find(const char *name, const struct engine **out)
{
    char known[128] = "auto";
    *out = NULL;
    if (!name || strcmp(name, "auto") == 0)
        return find_fastest(out);
    for (int i = 0; engines[i]; i++) {
        if (strcmp(engines[i]->name, name) == 0) {
            i3d_status status = engines[i]->available();
            if (status == I3D_OK)
                *out = engines[i];
            return status;
        }
        strncat(known, ", ", sizeof known - strlen(known) - 1);
        strncat(known, engines[i]->name, sizeof known - strlen(known) - 1);
    }
    return failure(I3D_EUNSUPPORTED, "this program has no engine '%s': choose one of %s", name,
                   known);
}
