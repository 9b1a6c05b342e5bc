#include "clip/annotate.h"
#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"
#include "wire/json.h"

#include <stdlib.h>
#include <string.h>

void annotate_clear(struct annotate *annotate)
{
    for (int i = 0; i < SPLITS_MOST; i++)
        annotation_clear(&annotate->splits[i]);
    names_clear(&annotate->missing);
    names_clear(&annotate->nameless);
    *annotate = (struct annotate){ 0 };
}

static bool is_json(const char *text)
{
    json_t *value = json_string(text);
    json_decref(value);
    return value != NULL;
}

static i3d_status name_nameless(const char *class_name, const char *video, struct names *out)
{
    char *name = NULL;
    i3d_status status;
    TRY(memory_format(&name, "%s/%s", class_name, video));
    talk("left out '%s': its name is not UTF-8, which an annotation is; rename it", name);
    TRY(names_add(out, name));
out:
    memory_free(name);
    return status;
}

/* Videos whose own or whose class's name JSON cannot hold; those of the first split, which has all,
 * are told. */
static i3d_status leave_out_videos(struct annotation *split, bool first, struct names *out)
{
    i3d_status status = I3D_OK;
    size_t kept = 0;
    for (size_t i = 0; i < split->count; i++) {
        struct annotated *video = &split->videos[i];
        const char *class_name = split->labels.items[video->label];
        if (is_json(video->name) && is_json(class_name)) {
            split->videos[kept++] = *video;
            continue;
        }
        if (first && status == I3D_OK)
            status = name_nameless(class_name, video->name, out);
        memory_free(video->name);
    }
    split->count = kept;
    return status;
}

/* Classes that JSON cannot name, which have no videos any more. */
static void leave_out_classes(struct annotation *split)
{
    size_t kept = 0;
    for (size_t label = 0; label < split->labels.count; label++) {
        char *name = split->labels.items[label];
        if (!is_json(name)) {
            memory_free(name);
            continue;
        }
        for (size_t i = 0; kept < label && i < split->count; i++)
            if (split->videos[i].label == (int)label)
                split->videos[i].label = (int)kept;
        split->labels.items[kept++] = name;
    }
    split->labels.count = kept;
}

i3d_status annotate_begin(const struct split_rule *rule, const char *root, struct annotate *out)
{
    i3d_status status;
    *out = (struct annotate){ .rule = *rule };
    TRY(split_check(rule));
    out->count = split_count(rule);
    for (int i = 0; i < out->count; i++)
        TRY(split_read(rule, i + 1, root, &out->splits[i]));
    for (int i = 0; i < out->count; i++) {
        TRY(leave_out_videos(&out->splits[i], i == 0, &out->nameless));
        leave_out_classes(&out->splits[i]);
    }
out:
    if (status != I3D_OK)
        annotate_clear(out);
    return status;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_missing(struct names *missing)
{
    size_t kept = 0;
    if (missing->count)
        qsort(missing->items, missing->count, sizeof *missing->items, by_bytes);
    for (size_t i = 0; i < missing->count; i++)
        if (kept && strcmp(missing->items[kept - 1], missing->items[i]) == 0)
            memory_free(missing->items[i]);
        else
            missing->items[kept++] = missing->items[i];
    missing->count = kept;
}

static void tell_empty_classes(const struct annotation *annotation)
{
    for (size_t label = 0; label < annotation->labels.count; label++) {
        size_t i = 0;
        while (i < annotation->count && annotation->videos[i].label != (int)label)
            i++;
        if (i == annotation->count)
            talk("the class '%s' has no videos", annotation->labels.items[label]);
    }
}

static void tell_empty_subsets(const struct annotation *annotation)
{
    size_t training = 0;
    for (size_t i = 0; i < annotation->count; i++)
        training += annotation->videos[i].subset == I3D_TRAINING;
    if (training == 0 || training == annotation->count)
        talk("no video is for %s", training ? "validation" : "training");
}

i3d_status annotate_locate(struct annotate *annotate, const char *root, int jobs, double time_limit)
{
    i3d_status status = I3D_OK;
    struct names missing = { 0 };
    for (int i = 0; i < annotate->count; i++) {
        TRY(annotation_locate(&annotate->splits[i], root, jobs, time_limit, &missing));
        for (size_t k = 0; k < missing.count; k++)
            TRY(names_add(&annotate->missing, missing.items[k]));
        names_clear(&missing);
    }
    sort_missing(&annotate->missing);
    annotation_tell_missing(&annotate->missing, SIZE_MAX);
    tell_empty_classes(&annotate->splits[0]);
    tell_empty_subsets(&annotate->splits[0]);
    if (annotate->splits[0].count == 0)
        status = failure(I3D_EINVAL,
                         "none of the %zu videos of the split is in '%s'; they are looked for as "
                         "'%s/<class>/<video>'",
                         annotate->missing.count, root, root);
out:
    names_clear(&missing);
    return status;
}

i3d_status annotate_write(const struct annotate *annotate, const char *target)
{
    i3d_status status;
    char *path = NULL, name[256];
    size_t length = strlen(target);
    bool is_file = length > 5 && strcmp(target + length - 5, ".json") == 0;
    if (is_file && annotate->count == 1)
        return annotation_write(target, &annotate->splits[0]);
    TRY(folder_make(target));
    for (int i = 0; i < annotate->count; i++) {
        split_file_name(&annotate->rule, i + 1, name, sizeof name);
        TRY(path_join(&path, target, name));
        TRY(annotation_write(path, &annotate->splits[i]));
        memory_free(path);
        path = NULL;
    }
out:
    memory_free(path);
    return status;
}
