#include "plugin/plugin.h"

#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"

#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern const struct plugin *const plugins_built_in[]; /* CMake writes it; NULL at the end */

enum { FOUND_MAX = 32 };

/* The plug-ins of one kind, by how their files' names begin. */
static struct shelf {
    const char *prefix;
    pthread_once_t once;
    const struct plugin *found[FOUND_MAX];
    size_t count;
} shelves[] = { [PLUGIN_ENGINE] = { .prefix = "i3d-", .once = PTHREAD_ONCE_INIT },
                [PLUGIN_COMM] = { .prefix = "comm-", .once = PTHREAD_ONCE_INIT } };

static i3d_status keep_sentence(i3d_status status, const char *sentence)
{
    return failure(status, "%s", sentence);
}

static void say(const char *line)
{
    talk("%s", line);
}

static const struct plugin_host host = { .failure = keep_sentence,
                                         .error = i3d_error,
                                         .memory_get = memory_get,
                                         .memory_grow = memory_grow,
                                         .memory_free = memory_free,
                                         .memory_check = memory_check,
                                         .talk = say,
                                         .interrupted = interrupted };

i3d_status plugin_open(const char *path, const struct plugin **out)
{
    i3d_status status;
    struct stat about;
    *out = NULL;
    if (stat(path, &about) == 0 && !S_ISREG(about.st_mode)) /* the loader waits for a pipe */
        return failure(I3D_EUNSUPPORTED, "cannot open the plug-in '%s': it is no regular file",
                       path);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return failure(I3D_EUNSUPPORTED, "cannot open the plug-in '%s': %s", path, dlerror());
    const struct plugin *plugin = dlsym(library, "i3d_plugin");
    if (!plugin)
        TRY(failure(I3D_EFORMAT, "'%s' has no i3d_plugin: it is no plug-in of i3d", path));
    if (plugin->abi != PLUGIN_ABI)
        TRY(failure(I3D_EUNSUPPORTED,
                    "the plug-in '%s' is of ABI %d, this library of %d: install the one that "
                    "belongs to it",
                    path, plugin->abi, PLUGIN_ABI));
    if (plugin->start && plugin->start(&host) != I3D_OK)
        TRY(failure_prefix(I3D_EUNSUPPORTED, "cannot start the plug-in '%s': ", path));
    *out = plugin;
    return I3D_OK;
out:
    dlclose(library);
    return status;
}

static int is_plugin(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 3 && strcmp(entry->d_name + length - 3, ".so") == 0;
}

/* Two folders may be one, or lead to one file. */
static bool is_found(const struct shelf *shelf, const struct plugin *plugin)
{
    for (size_t p = 0; p < shelf->count; p++)
        if (shelf->found[p] == plugin)
            return true;
    return false;
}

static void open_found(struct shelf *shelf, const char *path)
{
    const struct plugin *plugin;
    if (shelf->count == FOUND_MAX)
        talk("left out the plug-in '%s': there are %d already", path, FOUND_MAX);
    else if (plugin_open(path, &plugin) != I3D_OK)
        talk("left out a plug-in: %s", i3d_error());
    else if (!is_found(shelf, plugin))
        shelf->found[shelf->count++] = plugin;
}

/* In the order of their names, so that it is the same everywhere. */
static void search_folder(struct shelf *shelf, const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_plugin, alphasort);
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (strncmp(entries[i]->d_name, shelf->prefix, strlen(shelf->prefix)) == 0)
            open_found(shelf, path);
        free(entries[i]);
    }
    free(entries);
}

static void search_path(struct shelf *shelf, const char *path)
{
    char folder[4096];
    while (*path) {
        size_t length = strcspn(path, ":");
        snprintf(folder, sizeof folder, "%.*s", (int)length, path);
        if (folder[0] == '/' && length < sizeof folder)
            search_folder(shelf, folder);
        else if (length)
            talk("left out '%s' of I3D_PLUGIN_PATH: give absolute folders", folder);
        path += length + (path[length] == ':');
    }
}

/* Cuts the last part of a path off. */
static void cut_name(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = '\0';
}

/* By the file's name: a folder above it may be called anything. */
static bool is_shared(const char *path)
{
    const char *slash = strrchr(path, '/');
    return strstr(slash ? slash : path, ".so") != NULL;
}

/* i3d/ beside the shared library, or of a program that has the library in it, in the library folder
 * of its prefix: wherever it was installed or moved to. */
static bool find_home(char out[4096])
{
    char file[4000] = "";
    Dl_info about;
    bool shared = dladdr(&host, &about) && about.dli_fname && is_shared(about.dli_fname);
    if (shared)
        snprintf(file, sizeof file, "%s", about.dli_fname);
    else if (readlink("/proc/self/exe", file, sizeof file - 1) < 0)
        return false;
    if (file[0] != '/')
        return false;
    cut_name(file);
    if (!shared)
        cut_name(file);
    snprintf(out, 4096, "%s%s/i3d", file, shared ? "" : "/" I3D_LIBDIR);
    return true;
}

static void search(struct shelf *shelf)
{
    char home[4096];
    const char *path = secure_getenv("I3D_PLUGIN_PATH");
    search_path(shelf, path ? path : "");
    if (find_home(home))
        search_folder(shelf, home);
}

static void search_engines(void)
{
    search(&shelves[PLUGIN_ENGINE]);
}

static void search_comms(void)
{
    search(&shelves[PLUGIN_COMM]);
}

const struct plugin *plugin_at(enum plugin_kind kind, size_t index)
{
    struct shelf *shelf = &shelves[kind];
    size_t built_in = 0;
    while (plugins_built_in[built_in])
        built_in++;
    if (index < built_in)
        return plugins_built_in[index];
    pthread_once(&shelf->once, kind == PLUGIN_COMM ? search_comms : search_engines);
    return index - built_in < shelf->count ? shelf->found[index - built_in] : NULL;
}
