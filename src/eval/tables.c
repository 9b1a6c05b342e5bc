/* Scores as files to read, to sort and to look at. */
#include <i3d/eval.h>

#include "base/file.h"
#include "base/failure.h"
#include "base/memory.h"
#include "eval/confusion.h"
#include "eval/csv.h"
#include "eval/scores.h"

enum { GUESSES = 5 };

/* One of the files. */
typedef void (*write_function)(FILE *stream, const i3d_scores *scores, const int *counts);

static void write_videos(FILE *stream, const i3d_scores *scores, const int *counts)
{
    int best[GUESSES], guesses = scores->classes < GUESSES ? scores->classes : GUESSES;
    (void)counts;
    fputs("video,truth,clips,correct", stream);
    for (int g = 1; g <= guesses; g++)
        fprintf(stream, ",guess%d,score%d", g, g);
    for (int v = 0; v < scores->videos; v++) {
        const float *row = scores_row(scores, v);
        i3d_best(row, scores->classes, guesses, best);
        csv_text(stream, scores->names[v], '\n');
        csv_text(stream, scores->class_names[scores->labels[v]], ',');
        fprintf(stream, ",%d,%d", (int)scores->clips[v],
                scores->clips[v] && best[0] == scores->labels[v]);
        for (int g = 0; scores->clips[v] && g < guesses; g++) {
            csv_text(stream, scores->class_names[best[g]], ',');
            fprintf(stream, ",%.6g", (double)row[best[g]]);
        }
    }
    fputc('\n', stream);
}

static void write_classes(FILE *stream, const i3d_scores *scores, const int *counts)
{
    (void)counts;
    fputs("class,videos,top1,top5\n", stream);
    for (int c = 0; c < scores->classes; c++) {
        i3d_accuracy accuracy = i3d_scores_accuracy(scores, c);
        csv_text(stream, scores->class_names[c], 0);
        if (accuracy.videos)
            fprintf(stream, ",%d,%.6f,%.6f\n", accuracy.videos,
                    (double)accuracy.top1 / accuracy.videos,
                    (double)accuracy.top5 / accuracy.videos);
        else
            fputs(",0,,\n", stream);
    }
}

static void write_confusion(FILE *stream, const i3d_scores *scores, const int *counts)
{
    confusion_write_csv(stream, scores->class_names, scores->classes, counts);
}

static void write_picture(FILE *stream, const i3d_scores *scores, const int *counts)
{
    confusion_write_svg(stream, scores->class_names, scores->classes, counts);
}

static const struct {
    const char *name;
    write_function write;
} parts[] = {
    { "videos.csv", write_videos },
    { "classes.csv", write_classes },
    { "confusion.csv", write_confusion },
    { "confusion.svg", write_picture },
};

i3d_status i3d_scores_write(const char *folder, const i3d_scores *scores)
{
    i3d_status status;
    char *path = NULL;
    int *counts = NULL;
    struct file_writer writer = { 0 };
    size_t classes = (size_t)scores->classes;
    TRY(memory_get(classes, classes * sizeof *counts, &counts));
    confusion_count(scores, counts);
    TRY(folder_make(folder));
    for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++) {
        memory_free(path);
        TRY(path_join(&path, folder, parts[p].name));
        TRY(file_begin(path, &writer));
        parts[p].write(writer.stream, scores, counts);
        TRY(file_commit(&writer));
    }
out:
    file_discard(&writer);
    memory_free(path);
    memory_free(counts);
    return status;
}
