/* A network over files of clips. */
#include <i3d/edge.h>

#include "base/clock.h"
#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/talk.h"
#include "edge/place.h"
#include "wire/buffer.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

/* The batches of a folder, and where their answers are kept until all are there. */
struct work {
    struct names paths, stems; /* a stem ends at the first dot */
    size_t floats, row;        /* of a batch, of an answer */
    char *side;                /* root/result_Files/.STREAM */
    struct lock lock;
};

static void work_clear(struct work *work)
{
    names_clear(&work->paths);
    names_clear(&work->stems);
    memory_free(work->side);
    lock_release(&work->lock);
}

static i3d_status check_size(const char *path, size_t floats)
{
    struct stat about;
    size_t wanted = floats * sizeof(float);
    if (stat(path, &about) != 0)
        return failure_errno("cannot read '%s'", path);
    if ((size_t)about.st_size != wanted)
        return failure(I3D_EFORMAT,
                       "'%s' has %lld bytes, not the %zu of this network's batch: give the clips' "
                       "--test-sample-duration, --spatial-size, --mode and --batch-size",
                       path, (long long)about.st_size, wanted);
    return I3D_OK;
}

/* Names are sorted, so those of one stem follow each other. */
static i3d_status add_file(const char *folder, const char *name, struct work *work)
{
    i3d_status status;
    char *path = NULL, *stem = NULL;
    size_t count = work->stems.count;
    TRY(path_join(&path, folder, name));
    TRY(check_size(path, work->floats));
    TRY(memory_format(&stem, "%.*s", (int)strcspn(name, "."), name));
    if (count && strcmp(work->stems.items[count - 1], stem) == 0)
        TRY(failure(I3D_EINVAL, "'%s' and '%s' would both be answered as '%s_0.bin'",
                    work->paths.items[count - 1], path, stem));
    TRY(names_add(&work->paths, path));
    TRY(names_add(&work->stems, stem));
out:
    memory_free(path);
    memory_free(stem);
    return status;
}

static i3d_status list(const char *folder, struct work *work)
{
    i3d_status status;
    struct names names = { 0 };
    TRY(folder_list(folder, &names));
    for (size_t i = 0; i < names.count; i++) {
        const char *dot = strrchr(names.items[i], '.');
        if (dot && strcmp(dot, ".bin") == 0)
            TRY(add_file(folder, names.items[i], work));
    }
    if (!work->paths.count)
        status = failure(I3D_EINVAL, "'%s' holds no .bin: 'i3d preprocess' makes them", folder);
out:
    names_clear(&names);
    return status;
}

static i3d_status answer_path(const char *folder, const struct work *work, size_t index, char **out)
{
    return memory_format(out, "%s/%s_0.bin", folder, work->stems.items[index]);
}

/* Which file this is, and of when. */
static i3d_status add_identity(const char *path, struct buffer *text)
{
    struct stat about;
    if (stat(path, &about) != 0)
        return failure_errno("cannot read '%s'", path);
    return buffer_text(text, "%llu %llu %lld %lld.%09ld\n", (unsigned long long)about.st_dev,
                       (unsigned long long)about.st_ino, (long long)about.st_size,
                       (long long)about.st_mtim.tv_sec, about.st_mtim.tv_nsec);
}

/* What an answer depends on: equal texts, equal answers. */
static i3d_status describe(const i3d_classifier *classifier, const i3d_classifier_options *options,
                           const char *folder, struct buffer *out)
{
    i3d_status status;
    i3d_recipe recipe = i3d_classifier_get_recipe(classifier);
    TRY(add_identity(options->checkpoint, out));
    TRY(add_identity(folder, out));
    TRY(buffer_text(out, "%d %.17g %d %d %d %d %s\n", recipe.head, recipe.bn_epsilon, recipe.frames,
                    recipe.size, options->batch, (int)options->precision,
                    options->engine ? options->engine : "auto"));
out:
    return status;
}

/* Makes the side folder, or goes on with it if it is of the same run. */
static i3d_status open_side(const char *root, i3d_stream stream, const struct buffer *text,
                            struct work *work)
{
    i3d_status status;
    char *note = NULL;
    uint8_t *found = NULL;
    size_t bytes = 0;
    TRY(memory_format(&work->side, "%s/result_Files/.%s", root, stream_name(stream)));
    TRY(folder_make(work->side));
    TRY(lock_take(work->side, &work->lock));
    TRY(path_join(&note, work->side, ".run"));
    if (file_exists(note))
        TRY(file_read(note, &found, &bytes));
    if (bytes == text->count && found && memcmp(found, text->data, bytes) == 0)
        goto out;
    lock_release(&work->lock);
    TRY(folder_remove(work->side));
    TRY(folder_make(work->side));
    TRY(lock_take(work->side, &work->lock));
    TRY(file_write(note, text->data, text->count));
out:
    memory_free(note);
    memory_free(found);
    return status;
}

static i3d_status read_floats(const char *path, float *out, size_t count)
{
    FILE *stream = fopen(path, "rb");
    bool whole = stream && fread(out, sizeof *out, count, stream) == count;
    i3d_status status = whole ? I3D_OK
                        : stream && feof(stream)
                            ? failure(I3D_EFORMAT, "'%s' became shorter while it was read", path)
                            : failure_errno("cannot read '%s'", path);
    if (stream)
        fclose(stream);
    for (size_t i = 0; i < count && status == I3D_OK; i++)
        if (!isfinite(out[i]))
            status =
                failure(I3D_EFORMAT, "'%s' holds a number that is not finite: make it again", path);
    return status;
}

static i3d_status run_file(i3d_network *network, const struct work *work, size_t index, int batch,
                           float *data, float *logits, i3d_edge_timing *timing)
{
    i3d_status status;
    char *path = NULL;
    TRY(answer_path(work->side, work, index, &path));
    if (file_exists(path)) {
        timing->finished_before++;
        goto out;
    }
    TRY(read_floats(work->paths.items[index], data, work->floats));
    double begin = clock_seconds();
    TRY(i3d_network_run(network, batch, data, logits));
    timing->milliseconds += (clock_seconds() - begin) * 1e3;
    timing->count++;
    TRY(file_write(path, logits, work->row * sizeof *logits));
out:
    memory_free(path);
    return status;
}

static i3d_status run(i3d_network *network, const struct work *work, int batch,
                      i3d_edge_timing *timing)
{
    i3d_status status;
    float *data = NULL, *logits = NULL;
    size_t count = work->paths.count;
    TRY(memory_get(work->floats, sizeof *data, &data));
    TRY(memory_get(work->row, sizeof *logits, &logits));
    for (size_t i = 0; i < count; i++) {
        TRY(check_interrupt());
        TRY(run_file(network, work, i, batch, data, logits, timing));
        talk_progress_in_parts(
            &(i3d_progress){ .what = "inferring",
                             .done = (long)i + 1,
                             .total = (long)count,
                             .share = (double)(i + 1) / (double)count,
                             .skipped = (double)timing->finished_before / (double)count });
    }
    if (timing->count)
        timing->milliseconds /= timing->count;
out:
    memory_free(data);
    memory_free(logits);
    return status;
}

/* All answers are there: they go where they belong, and the side folder goes. */
static i3d_status put_answers(const char *root, struct work *work)
{
    i3d_status status = I3D_OK;
    char *folder = NULL, *from = NULL, *to = NULL;
    TRY(path_join(&folder, root, "result_Files"));
    for (size_t i = 0; i < work->paths.count; i++) {
        memory_free(from);
        memory_free(to);
        from = to = NULL;
        TRY(answer_path(work->side, work, i, &from));
        TRY(answer_path(folder, work, i, &to));
        if (rename(from, to) != 0)
            TRY(failure_errno("cannot put '%s' in its place", to));
    }
    TRY(folder_remove(work->side));
out:
    memory_free(folder);
    memory_free(from);
    memory_free(to);
    return status;
}

static i3d_status write_timing(const char *root, const i3d_edge_timing *timing)
{
    i3d_status status;
    char *folder = NULL, *path = NULL, *line = NULL;
    TRY(path_join(&folder, root, "time_Result"));
    TRY(folder_make(folder));
    TRY(path_join(&path, folder, "test_perform_static.txt"));
    TRY(memory_format(&line, "NN inference cost average time: %g ms of infer_count %d\n",
                      timing->milliseconds, timing->count));
    TRY(file_write(path, line, strlen(line)));
out:
    memory_free(folder);
    memory_free(path);
    memory_free(line);
    return status;
}

i3d_status i3d_edge_infer(i3d_classifier *classifier, const i3d_classifier_options *options,
                          const char *folder, const char *root, i3d_edge_timing *out)
{
    i3d_status status;
    i3d_recipe recipe = i3d_classifier_get_recipe(classifier);
    size_t batch = (size_t)options->batch, channels = options->stream == I3D_FLOW ? 2 : 3;
    size_t size = (size_t)recipe.size, frames = (size_t)recipe.frames;
    struct work work = { .floats = batch * channels * frames * size * size,
                         .row = batch * (size_t)i3d_classifier_class_count(classifier),
                         .lock = { -1 } };
    struct buffer text = { 0 };
    *out = (i3d_edge_timing){ 0 };
    TRY(list(folder, &work));
    TRY(describe(classifier, options, folder, &text));
    TRY(open_side(root, options->stream, &text, &work));
    TRY(run(i3d_classifier_network(classifier), &work, options->batch, out));
    TRY(put_answers(root, &work));
    TRY(write_timing(root, out));
out:
    buffer_clear(&text);
    work_clear(&work);
    return status;
}
