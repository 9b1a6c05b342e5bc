/* What is loaded at run time: engines and ways to talk to other processes, built against libraries
 * that most machines do not have. The built-in ones are described by the same struct.
 *
 * A plug-in is a shared object with one exported symbol, `i3d_plugin`: "i3d-NAME.so", or
 * "comm-NAME.so" if it brings comms only, which is not opened before a process has others to talk
 * to. Its ABI number is checked before anything else of it is touched. It is looked for in
 * I3D_PLUGIN_PATH (absolute folders, ':' between them) and in LIBDIR/i3d of where the library or
 * the program is installed; never in the working directory. It runs with the rights of the program:
 * who may write there is trusted. */
#ifndef I3D_PLUGIN_PLUGIN_H
#define I3D_PLUGIN_PLUGIN_H

#include <i3d/status.h>

#include <stdbool.h>
#include <stddef.h>

/* Raised with every change of plugin.h, engine.h, comm.h, graph.h or what they include. */
enum { PLUGIN_ABI = 2 };

/* What a plug-in gets of the library: its own copies would keep sentences and count memory apart.
 */
struct plugin_host {
    i3d_status (*failure)(i3d_status status, const char *sentence); /* keeps it, gives `status` */
    const char *(*error)(void);
    i3d_status (*memory_get)(size_t count, size_t size, void *out);
    i3d_status (*memory_grow)(void *array, size_t *capacity, size_t count, size_t size);
    void (*memory_free)(void *memory);
    i3d_status (*memory_check)(size_t bytes);
    void (*talk)(const char *line);
    bool (*interrupted)(void);
};

struct engine;
struct comm_kind;

struct plugin {
    int abi; /* PLUGIN_ABI */
    const char *name;
    i3d_status (*start)(const struct plugin_host *host); /* guest_start(); NULL: built in */
    const struct engine *const *engines;                 /* NULL at the end; NULL: none */
    const struct comm_kind *const *comms;                /* likewise */
};

/* How a plug-in's file begins its description: PLUGIN(name) = { .abi = PLUGIN_ABI, ... }; built in,
 * or with I3D_PLUGIN defined as a shared object. */
#ifdef I3D_PLUGIN
#define PLUGIN(name) __attribute__((visibility("default"))) const struct plugin i3d_plugin
#else
#define PLUGIN(name) const struct plugin plugin_##name
#endif

enum plugin_kind { PLUGIN_ENGINE, PLUGIN_COMM };

/* The index-th plug-in of a kind, built-in ones first, then those found when this is first called;
 * NULL behind the last. One that cannot be used is left out, and talk() says why. */
const struct plugin *plugin_at(enum plugin_kind kind, size_t index);

/* Opens one file. The plug-in stays open. */
i3d_status plugin_open(const char *path, const struct plugin **out);

#endif
