#include "eval/series.h"

#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void series_name(int epoch, int step, char out[SERIES_NAME_BYTES])
{
    snprintf(out, SERIES_NAME_BYTES, "i3d-%d_%d.ckpt", epoch, step);
}

/* A name is one of ours if we would have written it. */
static bool parse(const char *name, int *epoch, int *step)
{
    char again[SERIES_NAME_BYTES];
    if (sscanf(name, "i3d-%9d_%9d.ckpt", epoch, step) != 2)
        return false;
    series_name(*epoch, *step, again);
    return strcmp(name, again) == 0;
}

static int by_age(const void *a, const void *b)
{
    const i3d_series_entry *one = a, *other = b;
    if (one->epoch != other->epoch)
        return one->epoch < other->epoch ? -1 : 1;
    return (one->step > other->step) - (one->step < other->step);
}

i3d_status i3d_series_list(const char *folder, int from, int to, i3d_series *out)
{
    i3d_status status;
    struct names names = { 0 };
    int epoch, step;
    *out = (i3d_series){ 0 };
    TRY(folder_list(folder, &names));
    for (size_t i = 0; i < names.count; i++) {
        if (!parse(names.items[i], &epoch, &step) || epoch < from || epoch > to)
            continue;
        TRY(memory_grow(&out->entries, &out->capacity, out->count + 1, sizeof *out->entries));
        i3d_series_entry *entry = &out->entries[out->count];
        *entry = (i3d_series_entry){ .epoch = epoch, .step = step };
        TRY(path_join(&entry->path, folder, names.items[i]));
        out->count++;
    }
    if (out->count)
        qsort(out->entries, out->count, sizeof *out->entries, by_age);
out:
    names_clear(&names);
    if (status != I3D_OK)
        i3d_series_clear(out);
    return status;
}

void i3d_series_clear(i3d_series *series)
{
    for (size_t i = 0; i < series->count; i++)
        memory_free(series->entries[i].path);
    memory_free(series->entries);
    *series = (i3d_series){ 0 };
}

struct row {
    const i3d_series_entry *entry;
    double top1, top5;
};

/* Best first; of equals the newer. */
static int by_accuracy(const void *a, const void *b)
{
    const struct row *one = a, *other = b;
    if (one->top1 != other->top1)
        return one->top1 > other->top1 ? -1 : 1;
    return by_age(other->entry, one->entry);
}

i3d_status i3d_summary_write(const char *path, const i3d_series *series,
                             const i3d_accuracy *accuracies)
{
    i3d_status status;
    struct row *rows = NULL;
    struct file_writer writer = { 0 };
    TRY(memory_get(series->count, sizeof *rows, &rows));
    for (size_t i = 0; i < series->count; i++) {
        double videos = accuracies[i].videos ? accuracies[i].videos : 1;
        rows[i] = (struct row){ &series->entries[i], accuracies[i].top1 / videos,
                                accuracies[i].top5 / videos };
    }
    if (series->count)
        qsort(rows, series->count, sizeof *rows, by_accuracy);
    TRY(file_begin(path, &writer));
    fputs("  epoch    step    top-1    top-5  checkpoint\n", writer.stream);
    for (size_t i = 0; i < series->count; i++)
        fprintf(writer.stream, "%c %5d %7d %8.4f %8.4f  %s\n", i ? ' ' : '*', rows[i].entry->epoch,
                rows[i].entry->step, rows[i].top1, rows[i].top5, rows[i].entry->path);
    fputs("* the best\n", writer.stream);
    TRY(file_commit(&writer));
out:
    file_discard(&writer);
    memory_free(rows);
    return status;
}
