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

#include <string.h>
#include <unistd.h>

/* What is behind the batch's clips reads as zeros. */
static i3d_status write_clips(const i3d_edge_place *place, const char *folder, int index,
                              const i3d_batch *batch)
{
    i3d_status status;
    char *stem = NULL, *path = NULL;
    FILE *stream = NULL;
    size_t clip = (size_t)batch->channels * (size_t)batch->frames * (size_t)batch->height *
                  (size_t)batch->width;
    size_t taken = clip * (size_t)batch->count, whole = clip * (size_t)batch->capacity;
    TRY(place_stem(place, index, &stem));
    TRY(memory_format(&path, "%s/%s.bin", folder, stem));
    stream = fopen(path, "wb");
    if (!stream || fwrite(batch->data, sizeof(float), taken, stream) != taken ||
        fflush(stream) != 0 || ftruncate(fileno(stream), (off_t)(whole * sizeof(float))) != 0)
        status = failure_errno("cannot write '%s'", path);
out:
    if (stream && fclose(stream) != 0 && status == I3D_OK)
        status = failure_errno("cannot write '%s'", path);
    memory_free(stem);
    memory_free(path);
    return status;
}

/* What the labels' folder is to hold. */
struct notes {
    struct buffer labels; /* int32 [count, batch] */
    json_t *batches;      /* the names of each batch's videos */
    int64_t shape[5];     /* of a file */
    int count;
    long clips;
};

static i3d_status note(const i3d_batch *batch, const i3d_dataset *dataset, struct notes *notes)
{
    i3d_status status = I3D_OK;
    json_t *names = json_array();
    bool kept = json_array_append_new(notes->batches, names) == 0;
    const int64_t shape[] = { batch->capacity, batch->channels, batch->frames, batch->height,
                              batch->width };
    memcpy(notes->shape, shape, sizeof shape);
    for (int n = 0; n < batch->capacity; n++) {
        bool there = n < batch->count;
        TRY(buffer_number(&notes->labels, 4, (uint32_t)(there ? batch->labels[n] : -1)));
        if (there)
            kept = kept && json_array_append_new(names, json_string(i3d_dataset_video_name(
                                                            dataset, batch->videos[n]))) == 0;
    }
    notes->clips += batch->count;
    if (!kept)
        status = failure(I3D_ENOMEM, "no memory for the names of the videos");
out:
    return status;
}

static i3d_status write_manifest(const i3d_edge_place *place, const char *folder,
                                 const i3d_dataset *dataset, const struct notes *notes)
{
    i3d_status status;
    char *path = NULL;
    json_t *classes = json_array(), *shape = json_array();
    for (int c = 0; c < i3d_dataset_class_count(dataset); c++)
        json_array_append_new(classes, json_string(i3d_dataset_class_name(dataset, c)));
    for (int i = 0; i < 5; i++)
        json_array_append_new(shape, json_integer(notes->shape[i]));
    json_t *root = json_pack("{s:s, s:s, s:I, s:o, s:o, s:O}", "dataset", place->dataset, "mode",
                             stream_name(place->stream), "clips", (json_int_t)notes->clips, "shape",
                             shape, "classes", classes, "batches", notes->batches);
    if (!root || json_array_size(classes) != (size_t)i3d_dataset_class_count(dataset) ||
        json_array_size(shape) != 5)
        TRY(failure(I3D_ENOMEM, "no memory for the manifest"));
    TRY(place_manifest(folder, &path));
    TRY(json_write(path, root));
out:
    json_decref(root);
    memory_free(path);
    return status;
}

static i3d_status write_notes(const i3d_edge_place *place, const i3d_dataset *dataset,
                              const struct notes *notes)
{
    i3d_status status;
    char *folder = NULL, *path = NULL;
    struct buffer file = { 0 };
    const int64_t shape[] = { notes->count, notes->shape[0] };
    TRY(place_label(place, &folder));
    TRY(folder_make(folder));
    TRY(place_label_file(place, folder, (int)notes->shape[0], &path));
    TRY(npy_header(&file, "<i4", 2, shape));
    TRY(buffer_add(&file, notes->labels.data, notes->labels.count));
    TRY(file_write(path, file.data, file.count));
    TRY(write_manifest(place, folder, dataset, notes));
out:
    buffer_clear(&file);
    memory_free(folder);
    memory_free(path);
    return status;
}

static i3d_status write_epoch(const i3d_edge_place *place, const char *folder, i3d_loader *loader,
                              const i3d_dataset *dataset, struct notes *notes)
{
    i3d_status status;
    const i3d_batch *batch;
    TRY(i3d_loader_start(loader, 0, 0));
    while ((status = i3d_loader_next(loader, &batch)) == I3D_OK) {
        TRY(check_interrupt());
        if (!batch->count)
            continue;
        TRY(write_clips(place, folder, ++notes->count, batch));
        TRY(note(batch, dataset, notes));
        talk_progress("preprocessing", notes->count, i3d_loader_batches(loader));
    }
    if (status == I3D_END)
        status = notes->count ? I3D_OK : failure(I3D_EINVAL, "no clip could be made");
out:
    return status;
}

/* The clips appear last: labels without clips are of a run that did not end. */
i3d_status i3d_edge_preprocess(const i3d_edge_place *place, i3d_loader *loader,
                               const i3d_dataset *dataset, int *files, long *clips)
{
    i3d_status status;
    char *path = NULL;
    struct folder_writer folder = { 0 };
    struct notes notes = { .batches = json_array() };
    *files = 0;
    *clips = 0;
    TRY(place_check(place));
    TRY(place_data(place, &path));
    if (file_exists(path))
        TRY(failure(I3D_EINVAL, "'%s' is there already: remove it, or write to another --root",
                    path));
    TRY(folder_begin(path, &folder));
    TRY(write_epoch(place, folder.side, loader, dataset, &notes));
    TRY(write_notes(place, dataset, &notes));
    TRY(folder_commit(&folder));
    *files = notes.count;
    *clips = notes.clips;
out:
    folder_discard(&folder);
    json_decref(notes.batches);
    buffer_clear(&notes.labels);
    memory_free(path);
    return status;
}
