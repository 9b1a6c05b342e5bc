/* Scores from a network's raw answers. */
#include <i3d/edge.h>

#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"
#include "edge/place.h"
#include "eval/scores.h"
#include "wire/json.h"
#include "wire/npy.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* What `i3d_edge_preprocess()` noted. */
struct notes {
    json_t *manifest;
    const json_t *classes; /* texts */
    const json_t *batches; /* lists of texts, each at most `batch` long */
    int batch, count;
    int32_t *labels; /* [count, batch] */
};

static void notes_clear(struct notes *notes)
{
    json_decref(notes->manifest);
    memory_free(notes->labels);
}

static bool all_texts(const json_t *list)
{
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item)
    {
        if (!json_is_string(item))
            return false;
    }
    return json_is_array(list);
}

static bool says(const json_t *manifest, const char *key, const char *text)
{
    const char *found = json_string_value(json_object_get(manifest, key));
    return found && strcmp(found, text) == 0;
}

/* Missing files are the commonest mistake: who makes them? */
static i3d_status check_there(const char *path, const char *maker)
{
    return file_exists(path) ? I3D_OK
                             : failure(I3D_EIO,
                                       "there is no '%s': 'i3d %s' makes it, with the same --root, "
                                       "--dataset and --mode",
                                       path, maker);
}

static i3d_status read_manifest(const i3d_edge_place *place, const char *path, struct notes *out)
{
    i3d_status status;
    TRY(check_there(path, "preprocess"));
    TRY(json_read(path, &out->manifest));
    if (!says(out->manifest, "dataset", place->dataset) ||
        !says(out->manifest, "mode", stream_name(place->stream)))
        TRY(failure(I3D_EFORMAT, "'%s' is not of the %s clips of '%s'", path,
                    stream_name(place->stream), place->dataset));
    const json_t *shape = json_object_get(out->manifest, "shape");
    json_int_t batch = json_integer_value(json_array_get(shape, 0));
    out->classes = json_object_get(out->manifest, "classes");
    out->batches = json_object_get(out->manifest, "batches");
    size_t count = json_array_size(out->batches);
    if (batch < 1 || batch > 1 << 16 || count < 1 || count > (size_t)(INT_MAX / batch) ||
        !all_texts(out->classes))
        TRY(failure(I3D_EFORMAT, "'%s' lacks a shape, classes or batches", path));
    out->batch = (int)batch;
    out->count = (int)count;
    for (size_t b = 0; b < count; b++) {
        const json_t *names = json_array_get(out->batches, b);
        if (!all_texts(names) || json_array_size(names) > (size_t)batch)
            TRY(failure(I3D_EFORMAT, "batch %zu of '%s' is no list of at most %d videos", b + 1,
                        path, out->batch));
    }
out:
    return status;
}

static i3d_status read_labels(const char *path, struct notes *out)
{
    i3d_status status;
    uint8_t *file = NULL;
    size_t bytes, count = (size_t)out->count * (size_t)out->batch;
    struct npy npy;
    TRY(file_read(path, &file, &bytes));
    status = npy_parse((struct bytes){ file, bytes }, &npy);
    if (status != I3D_OK) {
        failure_prefix(status, "cannot read '%s': ", path);
        goto out;
    }
    if (strcmp(npy.type, "<i4") != 0 || npy.fortran || npy.rank != 2 ||
        npy.shape[0] != out->count || npy.shape[1] != out->batch || npy.data.count != count * 4)
        TRY(failure(I3D_EFORMAT, "'%s' is not the manifest's int32 [%d, %d]", path, out->count,
                    out->batch));
    TRY(memory_get(count, sizeof *out->labels, &out->labels));
    memcpy(out->labels, npy.data.at, count * sizeof *out->labels);
out:
    memory_free(file);
    return status;
}

static i3d_status read_notes(const i3d_edge_place *place, struct notes *out)
{
    i3d_status status;
    char *folder = NULL, *manifest = NULL, *labels = NULL;
    TRY(place_label(place, &folder));
    TRY(place_manifest(folder, &manifest));
    TRY(read_manifest(place, manifest, out));
    TRY(place_label_file(place, folder, out->batch, &labels));
    TRY(read_labels(labels, out));
out:
    memory_free(folder);
    memory_free(manifest);
    memory_free(labels);
    return status;
}

/* Each row that counts is finite: devices answer NaN where half precision overflows. */
static i3d_status check_finite(const char *path, const float *logits, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(logits[i]))
            return failure(I3D_EFORMAT,
                           "number %zu of '%s' is %g: the network failed on that clip; run it in "
                           "float32",
                           i + 1, path, (double)logits[i]);
    return I3D_OK;
}

/* Result `index` of the place as logits [batch, *classes], of which `clips` rows count; 0 classes:
 * as many as there are. */
static i3d_status read_result(const i3d_edge_place *place, int index, const struct notes *notes,
                              int *classes, float **out)
{
    i3d_status status;
    char *stem = NULL, *path = NULL;
    uint8_t *file = NULL;
    size_t bytes, column = (size_t)notes->batch * sizeof(float);
    size_t clips = json_array_size(json_array_get(notes->batches, (size_t)index - 1));
    TRY(place_stem(place, index, &stem));
    TRY(memory_format(&path, "%s/result_Files/%s_0.bin", place->root, stem));
    TRY(check_there(path, "infer"));
    TRY(file_read(path, &file, &bytes));
    if (!*classes && bytes && bytes % column == 0 && bytes / column <= 1 << 20)
        *classes = (int)(bytes / column);
    if (!*classes || bytes != column * (size_t)*classes)
        TRY(failure(I3D_EFORMAT,
                    "'%s' has %zu bytes, which are not %d rows of as many classes as the others",
                    path, bytes, notes->batch));
    if ((size_t)*classes < json_array_size(notes->classes))
        TRY(failure(I3D_EINVAL,
                    "the data set has %zu classes, the results only %d: they do not belong "
                    "together",
                    json_array_size(notes->classes), *classes));
    TRY(check_finite(path, (float *)(void *)file, clips * (size_t)*classes));
    *out = (float *)(void *)file;
    file = NULL;
out:
    memory_free(file);
    memory_free(stem);
    memory_free(path);
    return status;
}

/* Adds a clip's logits to its video, a new one if the name is not the last one's: the clips of a
 * video follow each other. */
static i3d_status add_clip(const char *name, int32_t label, const float *logits, int *videos,
                           i3d_scores *scores)
{
    i3d_status status = I3D_OK;
    if (label < 0 || label >= scores->classes)
        return failure(I3D_EFORMAT, "the label of '%s' is %d, but the results have %d classes",
                       name, label, scores->classes);
    if (!*videos || strcmp(scores->names[*videos - 1], name) != 0) {
        TRY(memory_string(name, &scores->names[*videos]));
        scores->labels[(*videos)++] = label;
    }
    float *row = scores_row(scores, *videos - 1);
    for (int c = 0; c < scores->classes; c++)
        row[c] += logits[c];
    scores->clips[*videos - 1]++;
out:
    return status;
}

/* A network may know more classes than the data set names. */
static i3d_status name_classes(const json_t *names, i3d_scores *scores)
{
    i3d_status status = I3D_OK;
    for (int c = 0; c < scores->classes; c++) {
        const char *name = json_string_value(json_array_get(names, (size_t)c));
        if (name)
            TRY(memory_string(name, &scores->class_names[c]));
        else
            TRY(memory_format(&scores->class_names[c], "class %d", c));
    }
out:
    return status;
}

static i3d_status add_results(const i3d_edge_place *place, const struct notes *notes,
                              i3d_scores *out)
{
    i3d_status status = I3D_OK;
    float *logits = NULL;
    int classes = 0, videos = 0;
    for (int b = 0; b < notes->count; b++) {
        const json_t *names = json_array_get(notes->batches, (size_t)b);
        memory_free(logits);
        logits = NULL;
        TRY(read_result(place, b + 1, notes, &classes, &logits));
        if (b == 0)
            TRY(scores_create(notes->count * notes->batch, classes, out));
        for (int n = 0; n < (int)json_array_size(names); n++)
            TRY(add_clip(json_string_value(json_array_get(names, (size_t)n)),
                         notes->labels[b * notes->batch + n], logits + (size_t)n * (size_t)classes,
                         &videos, out));
    }
    out->videos = videos;
    scores_average(out);
    TRY(name_classes(notes->classes, out));
out:
    memory_free(logits);
    return status;
}

i3d_status i3d_edge_postprocess(const i3d_edge_place *place, i3d_scores *out)
{
    i3d_status status;
    struct notes notes = { 0 };
    *out = (i3d_scores){ 0 };
    TRY(place_check(place));
    TRY(read_notes(place, &notes));
    TRY(add_results(place, &notes, out));
out:
    notes_clear(&notes);
    if (status != I3D_OK)
        i3d_scores_clear(out);
    return status;
}
