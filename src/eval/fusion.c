/* Two streams into one: late fusion (Simonyan, Zisserman 2014; Carreira, Zisserman 2017). */
#include <i3d/eval.h>

#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"
#include "eval/scores.h"

#include <stdlib.h>
#include <string.h>

/* One stream while it is paired: its videos by name, and a row for probabilities. */
struct side {
    const i3d_scores *scores;
    double weight;
    int *order; /* [videos] */
    float *row; /* [classes] */
};

static int by_name(const void *a, const void *b, void *names)
{
    char **table = names;
    return strcmp(table[*(const int *)a], table[*(const int *)b]);
}

static i3d_status open_side(const i3d_scores *scores, double weight, struct side *out)
{
    i3d_status status;
    *out = (struct side){ .scores = scores, .weight = weight };
    TRY(memory_get((size_t)scores->videos, sizeof *out->order, &out->order));
    TRY(memory_get((size_t)scores->classes, sizeof *out->row, &out->row));
    for (int v = 0; v < scores->videos; v++)
        out->order[v] = v;
    qsort_r(out->order, (size_t)scores->videos, sizeof *out->order, by_name, scores->names);
out:
    return status;
}

static void close_side(struct side *side)
{
    memory_free(side->order);
    memory_free(side->row);
}

static void add_side(const struct side *side, int video, bool softmax, float *out)
{
    const float *row = scores_row(side->scores, video);
    if (softmax) {
        i3d_softmax(row, side->scores->classes, side->row);
        row = side->row;
    }
    for (int c = 0; c < side->scores->classes; c++)
        out[c] += (float)(side->weight * row[c]);
}

static i3d_status fuse_pair(const struct side *rgb, int a, const struct side *flow, int b,
                            bool softmax, i3d_scores *out)
{
    const i3d_scores *one = rgb->scores, *other = flow->scores;
    int video = out->videos;
    if (one->labels[a] != other->labels[b])
        return failure(I3D_EFORMAT,
                       "video '%s' has label %d in rgb and %d in flow: both annotations must list "
                       "the same labels",
                       one->names[a], (int)one->labels[a], (int)other->labels[b]);
    add_side(rgb, a, softmax, scores_row(out, video));
    add_side(flow, b, softmax, scores_row(out, video));
    out->labels[video] = one->labels[a];
    out->clips[video] = one->clips[a] < other->clips[b] ? one->clips[a] : other->clips[b];
    out->videos++;
    return memory_string(one->names[a], &out->names[video]);
}

/* Walks both streams in the order of names, as a merge does. */
static i3d_status fuse_all(const struct side *rgb, const struct side *flow, bool softmax,
                           i3d_scores *out)
{
    int i = 0, j = 0, single = 0;
    while (i < rgb->scores->videos && j < flow->scores->videos) {
        int a = rgb->order[i], b = flow->order[j];
        int order = strcmp(rgb->scores->names[a], flow->scores->names[b]);
        if (order == 0) {
            i3d_status status = fuse_pair(rgb, a, flow, b, softmax, out);
            if (status != I3D_OK)
                return status;
        } else {
            single++;
        }
        i += order <= 0;
        j += order >= 0;
    }
    single += rgb->scores->videos - i + flow->scores->videos - j;
    if (single)
        talk("%d videos are in one stream only and have no joint score", single);
    return I3D_OK;
}

i3d_status i3d_scores_fuse(const i3d_scores *rgb, const i3d_scores *flow, const i3d_fusion *fusion,
                           i3d_scores *out)
{
    i3d_status status;
    struct side sides[2] = { { 0 } };
    int most = rgb->videos < flow->videos ? rgb->videos : flow->videos;
    *out = (i3d_scores){ 0 };
    if (rgb->classes != flow->classes)
        return failure(I3D_EINVAL,
                       "the rgb network has %d classes, the flow network %d: joint scores need the "
                       "same",
                       rgb->classes, flow->classes);
    TRY(scores_create(most, rgb->classes, out));
    out->videos = 0;
    for (int c = 0; c < rgb->classes; c++)
        TRY(memory_string(rgb->class_names[c], &out->class_names[c]));
    TRY(open_side(rgb, fusion->rgb_weight, &sides[0]));
    TRY(open_side(flow, fusion->flow_weight, &sides[1]));
    TRY(fuse_all(&sides[0], &sides[1], fusion->softmax, out));
out:
    close_side(&sides[0]);
    close_side(&sides[1]);
    if (status != I3D_OK)
        i3d_scores_clear(out);
    return status;
}
