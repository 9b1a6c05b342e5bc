#include "engine/engine.h"

#include "base/failure.h"
#include "plugin/plugin.h"

#include <stdlib.h>
#include <string.h>

static bool is_called(const struct engine *engine, const char *name)
{
    return strcmp(engine->name, name) == 0 || (engine->alias && strcmp(engine->alias, name) == 0);
}

/* The first of all plug-ins' engines that has this name. */
static const struct engine *find_first(const char *name)
{
    const struct plugin *plugin;
    for (size_t p = 0; (plugin = plugin_at(PLUGIN_ENGINE, p)) != NULL; p++)
        for (size_t e = 0; plugin->engines && plugin->engines[e]; e++)
            if (is_called(plugin->engines[e], name))
                return plugin->engines[e];
    return NULL;
}

const struct engine *engine_at(int index)
{
    const struct plugin *plugin;
    for (size_t p = 0; (plugin = plugin_at(PLUGIN_ENGINE, p)) != NULL; p++)
        for (size_t e = 0; plugin->engines && plugin->engines[e]; e++)
            if (find_first(plugin->engines[e]->name) == plugin->engines[e] && index-- == 0)
                return plugin->engines[e];
    return NULL;
}

static i3d_status find_fastest(const struct engine **out)
{
    const struct engine *engine;
    i3d_status status = I3D_EUNSUPPORTED;
    for (int i = 0; (engine = engine_at(i)) != NULL; i++) {
        if (*out && engine->speed <= (*out)->speed)
            continue;
        i3d_status available = engine->available();
        if (available == I3D_OK)
            *out = engine;
        else
            status = available;
    }
    return *out ? I3D_OK : status;
}

i3d_status engine_find(const char *name, const struct engine **out)
{
    char known[256] = "auto";
    const struct engine *engine;
    *out = NULL;
    if (!name || strcmp(name, "auto") == 0)
        return find_fastest(out);
    engine = find_first(name);
    if (engine) {
        i3d_status status = engine->available();
        if (status == I3D_OK)
            *out = engine;
        return status;
    }
    for (int i = 0; (engine = engine_at(i)) != NULL; i++) {
        strncat(known, ", ", sizeof known - strlen(known) - 1);
        strncat(known, engine->name, sizeof known - strlen(known) - 1);
    }
    return failure(I3D_EUNSUPPORTED, "this program has no engine '%s': choose one of %s", name,
                   known);
}

i3d_status engine_find_device(const char *name, const struct engine **out, int *device)
{
    char text[64], *end;
    const char *colon = name ? strchr(name, ':') : NULL;
    *out = NULL;
    *device = 0;
    if (!colon)
        return engine_find(name, out);
    size_t length = (size_t)(colon - name);
    long number = strtol(colon + 1, &end, 10);
    if (length >= sizeof text || end == colon + 1 || *end || number < 0 || number > 1 << 16)
        return failure(I3D_EINVAL,
                       "'%s' names no device: give an engine, or an engine, ':' and "
                       "the number of one of its devices, as in cuda:1",
                       name);
    memcpy(text, name, length);
    text[length] = '\0';
    *device = (int)number;
    i3d_status status = engine_find(text, out);
    if (status == I3D_OK && number && !(*out)->about)
        status = failure(I3D_EINVAL, "the engine '%s' has one device: leave '%s' out", text, colon);
    return status;
}
