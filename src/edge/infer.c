/* A network over files of clips. */
#include <i3d/edge.h>

#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/talk.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* The batches of a folder. */
struct work {
    struct names paths;
    size_t floats; /* a file */
};

static void work_clear(struct work *work)
{
    names_clear(&work->paths);
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

static i3d_status list(const char *folder, size_t floats, struct work *out)
{
    i3d_status status;
    struct names names = { 0 };
    char *path = NULL;
    *out = (struct work){ .floats = floats };
    TRY(folder_list(folder, &names));
    for (size_t i = 0; i < names.count; i++) {
        const char *dot = strrchr(names.items[i], '.');
        if (!dot || strcmp(dot, ".bin") != 0)
            continue;
        memory_free(path);
        TRY(path_join(&path, folder, names.items[i]));
        TRY(check_size(path, floats));
        TRY(names_add(&out->paths, path));
    }
    if (!out->paths.count)
        status = failure(I3D_EINVAL, "'%s' holds no .bin: 'i3d preprocess' makes them", folder);
out:
    memory_free(path);
    names_clear(&names);
    if (status != I3D_OK)
        work_clear(out);
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
    return status;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* logits [files, batch, classes] */
static i3d_status run(i3d_network *network, const struct work *work, int batch, size_t row,
                      float *logits, double *milliseconds)
{
    i3d_status status;
    float *data = NULL;
    TRY(memory_get(work->floats, sizeof *data, &data));
    for (size_t i = 0; i < work->paths.count; i++) {
        TRY(check_interrupt());
        TRY(read_floats(work->paths.items[i], data, work->floats));
        double begin = now();
        TRY(i3d_network_run(network, batch, data, logits + i * row));
        *milliseconds += now() - begin;
        talk_progress("inferring", (long)i + 1, (long)work->paths.count);
    }
out:
    memory_free(data);
    return status;
}

static i3d_status write_results(const char *root, const struct work *work, size_t row,
                                const float *logits)
{
    i3d_status status;
    char *folder = NULL, *path = NULL;
    TRY(path_join(&folder, root, "result_Files"));
    TRY(folder_make(folder));
    for (size_t i = 0; i < work->paths.count; i++) {
        const char *name = path_name(work->paths.items[i]);
        memory_free(path);
        TRY(memory_format(&path, "%s/%.*s_0.bin", folder, (int)strcspn(name, "."), name));
        TRY(file_write(path, logits + i * row, row * sizeof *logits));
    }
out:
    memory_free(folder);
    memory_free(path);
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

i3d_status i3d_edge_infer(i3d_classifier *classifier, i3d_stream stream, int batch,
                          const char *folder, const char *root, i3d_edge_timing *out)
{
    i3d_status status;
    struct work work = { 0 };
    float *logits = NULL;
    i3d_recipe recipe = i3d_classifier_get_recipe(classifier);
    size_t channels = stream == I3D_FLOW ? 2 : 3, size = (size_t)recipe.size;
    size_t clip = channels * (size_t)recipe.frames * size * size;
    size_t row = (size_t)batch * (size_t)i3d_classifier_class_count(classifier);
    *out = (i3d_edge_timing){ 0 };
    TRY(list(folder, clip * (size_t)batch, &work));
    TRY(memory_get(work.paths.count, row * sizeof *logits, &logits));
    TRY(run(i3d_classifier_network(classifier), &work, batch, row, logits, &out->milliseconds));
    out->count = (int)work.paths.count;
    out->milliseconds /= out->count;
    TRY(write_results(root, &work, row, logits));
    TRY(write_timing(root, out));
out:
    memory_free(logits);
    work_clear(&work);
    return status;
}
