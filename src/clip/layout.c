#include "clip/layout.h"
#include "base/failure.h"
#include "base/memory.h"

#include <string.h>
#include <strings.h>

i3d_status layout_open(const char *root, struct layout *out)
{
    i3d_status status;
    *out = (struct layout){ 0 };
    TRY(memory_string(root, &out->root));
    TRY(folder_list(root, &out->classes));
    TRY(memory_get(out->classes.count, sizeof *out->entries, &out->entries));
    TRY(memory_get(out->classes.count, sizeof *out->listed, &out->listed));
out:
    if (status != I3D_OK)
        layout_close(out);
    return status;
}

void layout_close(struct layout *layout)
{
    for (size_t i = 0; layout->entries && i < layout->classes.count; i++)
        names_clear(&layout->entries[i]);
    memory_free(layout->entries);
    memory_free(layout->listed);
    names_clear(&layout->classes);
    memory_free(layout->root);
    *layout = (struct layout){ 0 };
}

static i3d_status list_class(struct layout *layout, size_t index)
{
    char *folder;
    if (layout->listed[index])
        return I3D_OK;
    i3d_status status = path_join(&folder, layout->root, layout->classes.items[index]);
    if (status != I3D_OK)
        return status;
    if (file_is_folder(folder))
        status = folder_list(folder, &layout->entries[index]);
    layout->listed[index] = status == I3D_OK;
    memory_free(folder);
    return status;
}

typedef int (*compare)(const char *, const char *, size_t);

static bool matches(const char *entry, const char *video, enum layout_kind kind, compare same)
{
    const char *dot = kind == LAYOUT_FOLDER ? NULL : strrchr(entry, '.');
    if (kind == LAYOUT_PACK && (!dot || strcmp(dot, ".mkv") != 0))
        return false;
    size_t length = dot ? (size_t)(dot - entry) : strlen(entry);
    return length == strlen(video) && same(entry, video, length) == 0;
}

/* The entry of one class, if it is of the kind asked for. */
static i3d_status find_entry(struct layout *layout, size_t index, const char *video,
                             enum layout_kind kind, compare same, char **out)
{
    i3d_status status;
    char *path;
    TRY(list_class(layout, index));
    const struct names *entries = &layout->entries[index];
    for (size_t i = 0; i < entries->count && !*out; i++) {
        if (!matches(entries->items[i], video, kind, same))
            continue;
        TRY(memory_format(&path, "%s/%s/%s", layout->root, layout->classes.items[index],
                          entries->items[i]));
        if (file_is_folder(path) == (kind == LAYOUT_FOLDER))
            *out = path;
        else
            memory_free(path);
    }
out:
    return status;
}

i3d_status layout_find(struct layout *layout, const char *class_name, const char *video,
                       enum layout_kind kind, char **out)
{
    static const compare ways[] = { strncmp, strncasecmp };
    i3d_status status = I3D_OK;
    size_t length = strlen(class_name) + 1;
    *out = NULL;
    for (int way = 0; way < 4 && !*out; way++)
        for (size_t i = 0; i < layout->classes.count && !*out; i++)
            if (ways[way / 2](layout->classes.items[i], class_name, length) == 0)
                TRY(find_entry(layout, i, video, kind, ways[way % 2], out));
out:
    return status;
}

i3d_status layout_find_store(struct layout *layout, const char *class_name, const char *video,
                             char **out)
{
    i3d_status status = layout_find(layout, class_name, video, LAYOUT_FOLDER, out);
    if (status == I3D_OK && !*out)
        status = layout_find(layout, class_name, video, LAYOUT_PACK, out);
    return status;
}
