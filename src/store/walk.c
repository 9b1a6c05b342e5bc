#include "store/walk.h"
#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"

#include <string.h>

/* Whether `path` is a store: a folder, or a .mkv without a folder beside it. */
static i3d_status is_store(const char *path, bool *out)
{
    const char *extension = strrchr(path_name(path), '.');
    char *folder;
    *out = file_is_folder(path);
    if (*out || !extension || strcmp(extension, ".mkv") != 0)
        return I3D_OK;
    i3d_status status = memory_format(&folder, "%.*s", (int)(extension - path), path);
    if (status != I3D_OK)
        return status;
    *out = !file_is_folder(folder);
    memory_free(folder);
    return I3D_OK;
}

/* Appends folder/entry if it is of the kind looked for: a store or a file. */
static i3d_status add(struct videos *videos, const char *folder, const char *class_name,
                      const char *entry, bool stores)
{
    i3d_status status;
    char *path = NULL;
    TRY(path_join(&path, folder, entry));
    bool is_folder = file_is_folder(path), wanted = !is_folder;
    if (stores)
        TRY(is_store(path, &wanted));
    if (!wanted)
        goto out;
    TRY(memory_grow(&videos->items, &videos->capacity, videos->count + 1, sizeof *videos->items));
    struct video_file *video = &videos->items[videos->count++];
    *video = (struct video_file){ .path = path };
    path = NULL;
    TRY(memory_string(class_name, &video->class_name));
    TRY(memory_string(entry, &video->name));
    char *extension = is_folder ? NULL : strrchr(video->name, '.');
    if (extension)
        *extension = '\0';
out:
    memory_free(path);
    return status;
}

/* Names of one class that become the same without their extensions; `videos` from `first` on. Not
 * always neighbours: "a.avi", "a.b.avi", "a.mp4" is the sorted order. */
static i3d_status check_doubles(const struct videos *videos, size_t first)
{
    for (size_t i = first; i < videos->count; i++) {
        const struct video_file *a = &videos->items[i];
        size_t length = strlen(a->name);
        for (size_t j = i + 1; j < videos->count; j++) {
            const struct video_file *b = &videos->items[j];
            if (strncmp(path_name(b->path), a->name, length) != 0)
                break; /* sorted: no later name begins like this one either */
            if (strcmp(a->name, b->name) == 0)
                return failure(I3D_EINVAL,
                               "'%s' and '%s' differ only in their extension, so both would be "
                               "'%s/%s'; rename one",
                               a->path, path_name(b->path), a->class_name, a->name);
        }
    }
    return I3D_OK;
}

static i3d_status find_in_class(const char *root, const char *class_name, bool stores,
                                struct videos *videos)
{
    i3d_status status;
    struct names entries = { 0 };
    char *folder = NULL;
    size_t first = videos->count;
    TRY(path_join(&folder, root, class_name));
    if (!file_is_folder(folder))
        goto out;
    TRY(folder_list(folder, &entries));
    for (size_t i = 0; i < entries.count; i++)
        TRY(add(videos, folder, class_name, entries.items[i], stores));
    if (!stores)
        TRY(check_doubles(videos, first));
out:
    names_clear(&entries);
    memory_free(folder);
    return status;
}

static i3d_status find(const char *root, bool stores, struct videos *out)
{
    i3d_status status;
    struct names classes = { 0 };
    *out = (struct videos){ 0 };
    TRY(folder_list(root, &classes));
    for (size_t i = 0; i < classes.count; i++)
        TRY(find_in_class(root, classes.items[i], stores, out));
    if (out->count == 0)
        status = failure(I3D_EINVAL, "no %s in '%s'; they are looked for as '%s/<class>/<%s'",
                         stores ? "frames" : "videos", root, root,
                         stores ? "video>/image_00001.jpg' or '<class>/<video>.mkv" : "video>");
out:
    names_clear(&classes);
    if (status != I3D_OK)
        videos_clear(out);
    return status;
}

i3d_status videos_find(const char *root, struct videos *out)
{
    return find(root, false, out);
}

i3d_status videos_find_stores(const char *root, struct videos *out)
{
    return find(root, true, out);
}

void videos_clear(struct videos *videos)
{
    for (size_t i = 0; i < videos->count; i++) {
        memory_free(videos->items[i].class_name);
        memory_free(videos->items[i].name);
        memory_free(videos->items[i].path);
    }
    memory_free(videos->items);
    *videos = (struct videos){ 0 };
}
