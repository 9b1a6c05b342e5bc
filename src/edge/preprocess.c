/* Clips and labels to files. */
#include <i3d/edge.h>

#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/talk.h"
#include "edge/place.h"
#include "wire/buffer.h"
#include "wire/json.h"
#include "wire/npy.h"

static i3d_status write_clips(const i3d_edge_place *place, const char *folder, int index,
                              const i3d_batch *batch)
{
    i3d_status status;
    char *stem = NULL, *path = NULL;
    FILE *stream = NULL;
    size_t clip = (size_t)batch->channels * (size_t)batch->frames * (size_t)batch->height *
                  (size_t)batch->width;
    size_t taken = clip * (size_t)batch->count, whole = clip * (size_t)batch->capacity;
    const float filling = 0;
    TRY(place_stem(place, index, &stem));
    TRY(memory_format(&path, "%s/%s.bin", folder, stem));
    stream = fopen(path, "wb");
    bool written = stream && fwrite(batch->data, sizeof(float), taken, stream) == taken;
    for (size_t i = taken; written && i < whole; i++)
        written = fwrite(&filling, sizeof filling, 1, stream) == 1;
    if (!written)
        status = failure_errno("cannot write '%s'", path);
out:
    if (stream && fclose(stream) != 0 && status == I3D_OK)
        status = failure_errno("cannot write '%s'", path);
    memory_free(stem);
    memory_free(path);
    return status;
}

/* The batch's row of labels, and the names of its videos. */
static i3d_status note(const i3d_batch *batch, const i3d_dataset *dataset, struct buffer *labels,
                       json_t *batches)
{
    i3d_status status = I3D_OK;
    json_t *names = json_array();
    bool kept = json_array_append_new(batches, names) == 0;
    for (int n = 0; n < batch->capacity; n++) {
        bool there = n < batch->count;
        TRY(buffer_number(labels, 4, (uint32_t)(there ? batch->labels[n] : -1)));
        if (there)
            kept = kept && json_array_append_new(names, json_string(i3d_dataset_video_name(
                                                            dataset, batch->videos[n]))) == 0;
    }
    if (!kept)
        status = failure(I3D_ENOMEM, "no memory for the names of the videos");
out:
    return status;
}

static i3d_status write_notes(const i3d_edge_place *place, int count, const struct buffer *labels,
                              json_t *batches)
{
    i3d_status status;
    char *folder = NULL, *path = NULL, *manifest = NULL;
    struct buffer file = { 0 };
    const int64_t shape[] = { count, place->batch };
    json_t *root = json_pack("{s:s, s:i, s:O}", "dataset", place->dataset, "batch_size",
                             place->batch, "batches", batches);
    if (!root)
        TRY(failure(I3D_ENOMEM, "no memory for the manifest"));
    TRY(place_label(place, &folder));
    TRY(folder_make(folder));
    TRY(place_label_file(place, folder, &path));
    TRY(npy_header(&file, "<i4", 2, shape));
    TRY(buffer_add(&file, labels->data, labels->count));
    TRY(file_write(path, file.data, file.count));
    TRY(place_manifest(folder, &manifest));
    TRY(json_write(manifest, root));
out:
    json_decref(root);
    buffer_clear(&file);
    memory_free(folder);
    memory_free(path);
    memory_free(manifest);
    return status;
}

/* The clips appear last: labels without clips are of a run that did not end. */
i3d_status i3d_edge_preprocess(const i3d_edge_place *place, i3d_loader *loader,
                               const i3d_dataset *dataset, long *clips)
{
    i3d_status status;
    char *path = NULL;
    struct folder_writer folder = { 0 };
    struct buffer labels = { 0 };
    json_t *batches = json_array();
    const i3d_batch *batch;
    int done = 0;
    *clips = 0;
    TRY(place_check(place));
    TRY(place_data(place, &path));
    if (file_exists(path))
        TRY(failure(I3D_EINVAL, "'%s' is there already: remove it, or write to another root",
                    path));
    TRY(folder_begin(path, &folder));
    TRY(i3d_loader_start(loader, 0, 0));
    while ((status = i3d_loader_next(loader, &batch)) == I3D_OK) {
        TRY(check_interrupt());
        TRY(write_clips(place, folder.side, ++done, batch));
        TRY(note(batch, dataset, &labels, batches));
        *clips += batch->count;
        talk_progress("preprocessing", done, i3d_loader_batches(loader));
    }
    if (status != I3D_END)
        goto out;
    TRY(write_notes(place, done, &labels, batches));
    TRY(folder_commit(&folder));
out:
    folder_discard(&folder);
    json_decref(batches);
    buffer_clear(&labels);
    memory_free(path);
    return status;
}
