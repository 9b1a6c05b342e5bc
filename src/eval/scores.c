/* Logits of clips to scores of videos to accuracies. */
#include <i3d/eval.h>

#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"
#include "comm/comm.h"

#include <math.h>
#include "eval/scores.h"

i3d_status scores_create(int videos, int classes, i3d_scores *out)
{
    i3d_status status;
    size_t rows = (size_t)videos, columns = (size_t)classes;
    *out = (i3d_scores){ .videos = videos, .classes = classes };
    TRY(memory_get(rows, columns * sizeof *out->logits, &out->logits));
    TRY(memory_get(rows, sizeof *out->labels, &out->labels));
    TRY(memory_get(rows, sizeof *out->clips, &out->clips));
    TRY(memory_get(rows, sizeof *out->names, &out->names));
    TRY(memory_get(columns, sizeof *out->class_names, &out->class_names));
out:
    if (status != I3D_OK)
        i3d_scores_clear(out);
    return status;
}

void i3d_scores_clear(i3d_scores *scores)
{
    for (int v = 0; scores->names && v < scores->videos; v++)
        memory_free(scores->names[v]);
    for (int c = 0; scores->class_names && c < scores->classes; c++)
        memory_free(scores->class_names[c]);
    memory_free(scores->logits);
    memory_free(scores->labels);
    memory_free(scores->clips);
    memory_free(scores->names);
    memory_free(scores->class_names);
    *scores = (i3d_scores){ 0 };
}

float *scores_row(const i3d_scores *scores, int video)
{
    return scores->logits + (size_t)video * (size_t)scores->classes;
}

/* A network may know more classes than the data set names. */
static i3d_status describe(const i3d_dataset *dataset, i3d_scores *scores)
{
    i3d_status status = I3D_OK;
    for (int v = 0; v < scores->videos; v++) {
        scores->labels[v] = i3d_dataset_video_label(dataset, v);
        TRY(memory_string(i3d_dataset_video_name(dataset, v), &scores->names[v]));
    }
    for (int c = 0; c < scores->classes; c++) {
        if (c < i3d_dataset_class_count(dataset))
            TRY(memory_string(i3d_dataset_class_name(dataset, c), &scores->class_names[c]));
        else
            TRY(memory_format(&scores->class_names[c], "class %d", c));
    }
out:
    return status;
}

static void add_clips(i3d_scores *scores, const i3d_batch *batch, const float *logits)
{
    for (int n = 0; n < batch->count; n++) {
        int video = batch->videos[n];
        float *row = scores_row(scores, video);
        for (int c = 0; c < scores->classes; c++)
            row[c] += logits[n * scores->classes + c];
        scores->clips[video]++;
    }
}

void scores_average(i3d_scores *scores)
{
    for (int v = 0; v < scores->videos; v++)
        for (int c = 0; scores->clips[v] && c < scores->classes; c++)
            scores_row(scores, v)[c] /= (float)scores->clips[v];
}

i3d_status i3d_scores_collect(i3d_network *network, int classes, i3d_loader *loader,
                              const i3d_dataset *dataset, i3d_scores *out)
{
    i3d_status status;
    float *logits = NULL;
    const i3d_batch *batch;
    size_t capacity = 0;
    int known = i3d_dataset_class_count(dataset), batches = i3d_loader_batches(loader), done = 0;
    *out = (i3d_scores){ 0 };
    if (known > classes)
        return failure(I3D_EINVAL,
                       "the data set has %d classes, the network only %d: they do not belong "
                       "together",
                       known, classes);
    TRY(scores_create(i3d_dataset_video_count(dataset), classes, out));
    TRY(describe(dataset, out));
    TRY(i3d_loader_start(loader, 0, 0));
    while ((status = i3d_loader_next(loader, &batch)) == I3D_OK) {
        TRY(check_interrupt());
        if (finish_asked())
            TRY(failure(I3D_EINTERRUPTED, "stopped as asked"));
        size_t wanted = (size_t)batch->capacity * (size_t)classes;
        TRY(memory_grow(&logits, &capacity, wanted, sizeof *logits));
        if (batch->count)
            TRY(i3d_network_run(network, batch->count, batch->data, logits));
        add_clips(out, batch, logits);
        talk_progress("evaluating", ++done, batches);
    }
    if (status == I3D_END)
        status = I3D_OK;
    scores_average(out);
out:
    memory_free(logits);
    if (status != I3D_OK)
        i3d_scores_clear(out);
    return status;
}

/* A video is in one share: everyone else adds 0, so the sums are its scores to the last bit. */
i3d_status i3d_scores_join(i3d_scores *scores, i3d_comm *comm)
{
    i3d_status status = I3D_OK;
    double *clips = NULL;
    size_t videos = (size_t)scores->videos;
    if (comm->size == 1)
        return I3D_OK;
    TRY(memory_get(videos, sizeof *clips, &clips));
    for (size_t v = 0; v < videos; v++)
        clips[v] = scores->clips[v];
    TRY(comm_reduce(comm, (struct array){ .data = clips, .count = videos, .dtype = I3D_F64 }));
    TRY(comm_reduce(comm, (struct array){ .data = scores->logits,
                                          .count = videos * (size_t)scores->classes,
                                          .dtype = I3D_F32 }));
    TRY(comm_wait(comm));
    for (size_t v = 0; v < videos; v++)
        scores->clips[v] = (int)clips[v];
out:
    if (status != I3D_OK)
        i3d_comm_abandon(comm);
    memory_free(clips);
    return status;
}

/* How many classes stand before `label`; a score that is not a number stands behind all. */
static int rank(const float *row, int classes, int label)
{
    int before = 0;
    for (int c = 0; c < classes; c++)
        before += c != label && (!(row[c] < row[label]) && (row[c] != row[label] || c < label));
    return before;
}

i3d_accuracy i3d_scores_accuracy(const i3d_scores *scores, int label)
{
    i3d_accuracy out = { 0 };
    for (int v = 0; v < scores->videos; v++) {
        int truth = scores->labels[v];
        if (!scores->clips[v] || (label >= 0 && truth != label))
            continue;
        int before = rank(scores_row(scores, v), scores->classes, truth);
        out.videos++;
        out.top1 += before < 1;
        out.top5 += before < 5;
    }
    return out;
}

void i3d_softmax(const float *logits, int classes, float *out)
{
    double most = logits[0], sum = 0;
    for (int c = 1; c < classes; c++)
        most = fmax(most, logits[c]);
    for (int c = 0; c < classes; c++)
        sum += exp(logits[c] - most);
    for (int c = 0; c < classes; c++)
        out[c] = (float)(exp(logits[c] - most) / sum);
}

void i3d_best(const float *scores, int classes, int count, int *labels)
{
    int found = 0;
    for (int c = 0; c < classes; c++) {
        int at = found < count ? found++ : count;
        while (at > 0 && scores[c] > scores[labels[at - 1]]) {
            if (at < count)
                labels[at] = labels[at - 1];
            at--;
        }
        if (at < count)
            labels[at] = c;
    }
}
