#include "clip/annotation.h"
#include "base/failure.h"
#include "base/memory.h"
#include "wire/json.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const subset_names[] = {
    [I3D_TRAINING] = "training", [I3D_VALIDATION] = "validation"
};

void annotation_clear(struct annotation *annotation)
{
    names_clear(&annotation->labels);
    for (size_t i = 0; i < annotation->count; i++)
        memory_free(annotation->videos[i].name);
    memory_free(annotation->videos);
    *annotation = (struct annotation){ 0 };
}

int annotation_label(const struct annotation *annotation, const char *class_name)
{
    const struct names *labels = &annotation->labels;
    for (size_t i = 0; i < labels->count; i++)
        if (strcmp(labels->items[i], class_name) == 0)
            return (int)i;
    for (size_t i = 0; i < labels->count; i++)
        if (strcasecmp(labels->items[i], class_name) == 0)
            return (int)i;
    return -1;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void annotation_sort_labels(struct annotation *annotation)
{
    struct names *labels = &annotation->labels;
    if (labels->count)
        qsort(labels->items, labels->count, sizeof *labels->items, by_bytes);
}

i3d_status annotation_add(struct annotation *annotation, const char *name, int label,
                          i3d_subset subset)
{
    i3d_status status;
    struct annotated video = { .label = label, .subset = subset };
    TRY(memory_grow(&annotation->videos, &annotation->capacity, annotation->count + 1,
                    sizeof video));
    TRY(memory_string(name, &video.name));
    annotation->videos[annotation->count++] = video;
out:
    return status;
}

/* Names become parts of paths: one that could lead elsewhere is refused. */
static i3d_status check_name(const char *name)
{
    if (*name == '\0' || *name == '.' || strchr(name, '/'))
        return failure(I3D_EFORMAT, "'%s' is not the name of a video or class", name);
    return I3D_OK;
}

static i3d_status read_labels(const json_t *labels, struct annotation *out)
{
    i3d_status status = I3D_OK;
    size_t index;
    json_t *label;
    if (json_array_size(labels) == 0)
        return failure(I3D_EFORMAT, "it has no list 'labels' of the classes");
    json_array_foreach(labels, index, label)
    {
        const char *name = json_string_value(label);
        if (!name)
            TRY(failure(I3D_EFORMAT, "label %zu is not a string", index));
        TRY(check_name(name));
        TRY(names_add(&out->labels, name));
    }
out:
    return status;
}

/* Label -> index, so that a hundred thousand videos are found quickly. */
static i3d_status index_labels(const struct names *labels, json_t **out)
{
    json_t *indices = json_object();
    for (size_t i = 0; i < labels->count; i++) {
        if (json_object_get(indices, labels->items[i])) {
            json_decref(indices);
            return failure(I3D_EFORMAT, "the label '%s' is there twice", labels->items[i]);
        }
        json_object_set_new(indices, labels->items[i], json_integer((json_int_t)i));
    }
    *out = indices;
    return I3D_OK;
}

static i3d_status read_video(const char *name, const json_t *entry, const json_t *indices,
                             struct annotation *out)
{
    const char *subset = json_string_value(json_object_get(entry, "subset"));
    const char *label =
        json_string_value(json_object_get(json_object_get(entry, "annotations"), "label"));
    if (!subset)
        return failure(I3D_EFORMAT, "the video '%s' has no 'subset'", name);
    bool training = strcmp(subset, subset_names[I3D_TRAINING]) == 0;
    if (!training && strcmp(subset, subset_names[I3D_VALIDATION]) != 0)
        return I3D_OK;
    if (!label)
        return failure(I3D_EFORMAT, "the video '%s' has no 'label' in its 'annotations'", name);
    const json_t *index = json_object_get(indices, label);
    if (!index)
        return failure(I3D_EFORMAT, "the label '%s' of the video '%s' is not among 'labels'", label,
                       name);
    i3d_status status = check_name(name);
    if (status != I3D_OK)
        return status;
    return annotation_add(out, name, (int)json_integer_value(index),
                          training ? I3D_TRAINING : I3D_VALIDATION);
}

i3d_status annotation_read(const char *path, struct annotation *out)
{
    i3d_status status;
    json_t *root = NULL, *indices = NULL, *entry;
    const char *name;
    *out = (struct annotation){ 0 };
    TRY(json_read(path, &root));
    TRY(read_labels(json_object_get(root, "labels"), out));
    TRY(index_labels(&out->labels, &indices));
    json_t *database = json_object_get(root, "database");
    if (!json_is_object(database))
        TRY(failure(I3D_EFORMAT, "it has no object 'database' of the videos"));
    json_object_foreach(database, name, entry) TRY(read_video(name, entry, indices, out));
out:
    if (status == I3D_EFORMAT && root)
        failure_prefix(status, "'%s' is not an annotation: ", path);
    json_decref(root);
    json_decref(indices);
    if (status != I3D_OK)
        annotation_clear(out);
    return status;
}

static i3d_status write_video(const struct annotation *annotation, const struct annotated *video,
                              json_t *database)
{
    const char *label = annotation->labels.items[video->label];
    if (json_object_get(database, video->name))
        return failure(I3D_EINVAL,
                       "two videos are called '%s', one of them of the class '%s': the name is "
                       "their key in the annotation, so rename one",
                       video->name, label);
    json_t *entry =
        json_pack("{s:s, s:{s:s, s:[i, I]}}", "subset", subset_names[video->subset], "annotations",
                  "label", label, "segment", 1, (json_int_t)video->frames + 1);
    if (json_object_set_new(database, video->name, entry) != 0)
        return failure(I3D_EINVAL, "the name '%s/%s' is not UTF-8; rename it", label, video->name);
    return I3D_OK;
}

i3d_status annotation_write(const char *path, const struct annotation *annotation)
{
    i3d_status status = I3D_OK;
    json_t *labels = json_array(), *database = json_object(), *root = NULL;
    for (size_t i = 0; i < annotation->labels.count; i++)
        if (json_array_append_new(labels, json_string(annotation->labels.items[i])) != 0)
            TRY(failure(I3D_EINVAL, "the class '%s' is not UTF-8; rename it",
                        annotation->labels.items[i]));
    for (size_t i = 0; i < annotation->count; i++)
        TRY(write_video(annotation, &annotation->videos[i], database));
    root = json_pack("{s:O, s:O}", "labels", labels, "database", database);
    TRY(json_write(path, root));
out:
    json_decref(root);
    json_decref(labels);
    json_decref(database);
    return status;
}
