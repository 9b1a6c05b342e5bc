/* Scores from a network's raw answers. */
#include <i3d/edge.h>

#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"
#include "edge/place.h"
#include "eval/scores.h"
#include "wire/json.h"
#include "wire/npy.h"

#include <string.h>

/* What `i3d_edge_preprocess()` noted: the names of each batch's videos, and the labels. */
struct notes {
    json_t *manifest;
    const json_t *batches; /* lists of texts, each at most `batch` long */
    int32_t *labels;       /* [batches, batch] */
};

static void notes_clear(struct notes *notes)
{
    json_decref(notes->manifest);
    memory_free(notes->labels);
}

static i3d_status read_manifest(const char *path, int batch, struct notes *out)
{
    i3d_status status;
    size_t b, n;
    const json_t *names, *name;
    TRY(json_read(path, &out->manifest));
    out->batches = json_object_get(out->manifest, "batches");
    if (!json_is_array(out->batches) || json_array_size(out->batches) == 0)
        TRY(failure(I3D_EFORMAT, "'%s' has no list of batches", path));
    json_array_foreach(out->batches, b, names)
    {
        if (!json_is_array(names) || json_array_size(names) > (size_t)batch)
            TRY(failure(I3D_EFORMAT, "batch %zu of '%s' is no list of at most %d videos", b + 1,
                        path, batch));
        json_array_foreach(names, n, name) if (!json_is_string(name))
            TRY(failure(I3D_EFORMAT, "batch %zu of '%s' has a video without a name", b + 1, path));
    }
out:
    return status;
}

static i3d_status read_labels(const char *path, int batch, struct notes *out)
{
    i3d_status status;
    uint8_t *file = NULL;
    size_t bytes, batches = json_array_size(out->batches), count = batches * (size_t)batch;
    struct npy npy;
    TRY(file_read(path, &file, &bytes));
    TRY(npy_parse((struct bytes){ file, bytes }, &npy));
    if (strcmp(npy.type, "<i4") != 0 || npy.fortran || npy.rank != 2 ||
        npy.shape[0] != (int64_t)batches || npy.shape[1] != batch || npy.data.count != count * 4)
        TRY(failure(I3D_EFORMAT, "'%s' is not the manifest's int32 [%zu, %d]", path, batches,
                    batch));
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
    TRY(place_label_file(place, folder, &labels));
    TRY(read_manifest(manifest, place->batch, out));
    TRY(read_labels(labels, place->batch, out));
out:
    memory_free(folder);
    memory_free(manifest);
    memory_free(labels);
    return status;
}

/* Result `index` of the place as logits [batch, *classes]; 0 classes: as many as there are. */
static i3d_status read_result(const i3d_edge_place *place, int index, int *classes, float **out)
{
    i3d_status status;
    char *stem = NULL, *path = NULL;
    uint8_t *file = NULL;
    size_t bytes, column = (size_t)place->batch * sizeof(float);
    TRY(place_stem(place, index, &stem));
    TRY(memory_format(&path, "%s/result_Files/%s_0.bin", place->root, stem));
    TRY(file_read(path, &file, &bytes));
    if (!*classes && bytes && bytes % column == 0 && bytes / column <= 1 << 20)
        *classes = (int)(bytes / column);
    if (!*classes || bytes != column * (size_t)*classes)
        TRY(failure(I3D_EFORMAT,
                    "'%s' has %zu bytes, which are not %d rows of as many classes as the others",
                    path, bytes, place->batch));
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

static i3d_status name_classes(i3d_scores *scores)
{
    i3d_status status = I3D_OK;
    for (int c = 0; c < scores->classes; c++)
        TRY(memory_format(&scores->class_names[c], "class %d", c));
out:
    return status;
}

static i3d_status add_results(const i3d_edge_place *place, const struct notes *notes,
                              i3d_scores *out)
{
    i3d_status status = I3D_OK;
    float *logits = NULL;
    int classes = 0, videos = 0, batches = (int)json_array_size(notes->batches);
    for (int b = 0; b < batches; b++) {
        const json_t *names = json_array_get(notes->batches, (size_t)b);
        memory_free(logits);
        logits = NULL;
        TRY(read_result(place, b + 1, &classes, &logits));
        if (b == 0)
            TRY(scores_create(batches * place->batch, classes, out));
        for (int n = 0; n < (int)json_array_size(names); n++)
            TRY(add_clip(json_string_value(json_array_get(names, (size_t)n)),
                         notes->labels[b * place->batch + n], logits + n * classes, &videos, out));
    }
    out->videos = videos;
    for (int v = 0; v < videos; v++)
        for (int c = 0; c < classes; c++)
            scores_row(out, v)[c] /= (float)out->clips[v];
    TRY(name_classes(out));
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
