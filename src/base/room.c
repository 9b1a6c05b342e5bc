#include "base/room.h"

#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The number behind `name` (NULL: the first) in a small text file; false: no file, or no number. */
static bool read_number(const char *root, const char *path, const char *name, uint64_t *out)
{
    char line[512], full[PATH_MAX];
    bool found = false;
    size_t length = name ? strlen(name) : 0;
    if ((size_t)snprintf(full, sizeof full, "%s%s", root, path) >= sizeof full)
        return false;
    FILE *stream = fopen(full, "re");
    while (stream && !found && fgets(line, sizeof line, stream))
        found = (!name || strncmp(line, name, length) == 0) &&
                sscanf(line + length, "%" SCNu64, out) == 1;
    if (stream)
        fclose(stream);
    return found;
}

static uint64_t less(uint64_t limit, uint64_t used)
{
    return limit > used ? limit - used : 0;
}

static uint64_t machine_left(const char *root)
{
    uint64_t available, swap = 0;
    if (!read_number(root, "/proc/meminfo", "MemAvailable:", &available))
        return UINT64_MAX;
    read_number(root, "/proc/meminfo", "SwapFree:", &swap);
    return (available + swap) * 1024;
}

/* What one control group leaves; what it holds of files is given up when memory is wanted. */
static uint64_t group_left(const char *root, const char *folder, const char *const names[3])
{
    char path[PATH_MAX];
    uint64_t limit, used, files = 0;
    snprintf(path, sizeof path, "%s/%s", folder, names[0]);
    if (!read_number(root, path, NULL, &limit))
        return UINT64_MAX; /* or it says "max" */
    snprintf(path, sizeof path, "%s/%s", folder, names[1]);
    if (!read_number(root, path, NULL, &used))
        return UINT64_MAX;
    snprintf(path, sizeof path, "%s/memory.stat", folder);
    read_number(root, path, names[2], &files);
    return less(limit, less(used, files));
}

/* The folder of the group behind `mark` in /proc/self/cgroup and all above it, each of which may
 * limit. In a container the path may be the host's: then only the uppermost is there. */
static uint64_t groups_left(const char *root, const char *mark, const char *mount,
                            const char *const names[3])
{
    char line[PATH_MAX / 2], folder[PATH_MAX], full[PATH_MAX];
    uint64_t left = UINT64_MAX;
    *folder = '\0';
    snprintf(full, sizeof full, "%s/proc/self/cgroup", root);
    FILE *stream = fopen(full, "re");
    while (stream && fgets(line, sizeof line, stream)) {
        const char *found = strstr(line, mark);
        if (found)
            snprintf(folder, sizeof folder, "%s%.*s", mount,
                     (int)strcspn(found + strlen(mark), "\n"), found + strlen(mark));
    }
    if (stream)
        fclose(stream);
    while (*folder) {
        uint64_t group = group_left(root, folder, names);
        left = group < left ? group : left;
        char *slash = strlen(folder) > strlen(mount) ? strrchr(folder, '/') : folder;
        *slash = '\0';
    }
    return left;
}

static uint64_t limit_left(const struct rlimit *limit, uint64_t used)
{
    return limit->rlim_cur == RLIM_INFINITY ? UINT64_MAX : less(limit->rlim_cur, used);
}

uint64_t room_left(const char *root)
{
    static const char *const unified[] = { "memory.max", "memory.current", "inactive_file" };
    static const char *const separate[] = { "memory.limit_in_bytes", "memory.usage_in_bytes",
                                            "total_inactive_file" };
    struct rlimit of_space = { .rlim_cur = RLIM_INFINITY }, of_data = of_space;
    uint64_t space = 0, data = 0;
    getrlimit(RLIMIT_AS, &of_space);
    getrlimit(RLIMIT_DATA, &of_data);
    read_number(root, "/proc/self/status", "VmSize:", &space);
    read_number(root, "/proc/self/status", "VmData:", &data);
    const uint64_t all[] = { machine_left(root),
                             groups_left(root, "0::", "/sys/fs/cgroup", unified),
                             groups_left(root, ":memory:", "/sys/fs/cgroup/memory", separate),
                             limit_left(&of_space, space * 1024),
                             limit_left(&of_data, data * 1024) };
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        least = all[i] < least ? all[i] : least;
    return least;
}
