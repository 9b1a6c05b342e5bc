/* From a video file to probabilities. */
#include <i3d/eval.h>

#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"
#include "clip/clip.h"
#include "wire/json.h"

#include <string.h>

enum { STREAMS = 2 };

/* One stream of a prediction. */
struct scorer {
    i3d_classifier *classifier; /* NULL: without this stream */
    i3d_clip_options options;
    struct clip_maker maker;
    float *clip;   /* [C, T, H, W] */
    float *scores; /* [classes]: the mean of the clips' logits */
    int index;     /* of the clip in hand */
};

struct i3d_predictor {
    struct scorer scorers[STREAMS]; /* by i3d_stream */
    i3d_video_options video;
    struct motion_options flow;
    i3d_fusion fusion;
    int clips, classes;
    struct names names;
    float *logits; /* [classes]: of a clip */
};

static i3d_status open_clips(i3d_predictor *predictor, i3d_stream stream)
{
    i3d_status status;
    struct scorer *scorer = &predictor->scorers[stream];
    i3d_recipe recipe = i3d_classifier_get_recipe(scorer->classifier);
    size_t size = (size_t)recipe.size, channels = stream == I3D_FLOW ? 2 : 3;
    scorer->options = i3d_clip_defaults();
    scorer->options.frames = recipe.frames;
    scorer->options.size = recipe.size;
    scorer->options.resize = recipe.resize;
    scorer->options.bgr = recipe.bgr == 1;
    scorer->options.clips_per_video = predictor->clips;
    TRY(clip_maker_create(&scorer->options, stream, stream == I3D_FLOW ? &predictor->flow : NULL,
                          &scorer->maker));
    TRY(memory_get(channels * (size_t)recipe.frames, size * size * sizeof(float), &scorer->clip));
    TRY(memory_get((size_t)predictor->classes, sizeof(float), &scorer->scores));
out:
    return status;
}

static i3d_status open_stream(const i3d_predictor_options *options, i3d_stream stream,
                              i3d_predictor *predictor)
{
    i3d_status status;
    struct scorer *scorer = &predictor->scorers[stream];
    const i3d_classifier_options classifier = { .checkpoint = stream == I3D_FLOW ? options->flow
                                                                                 : options->rgb,
                                                .stream = stream,
                                                .recipe = options->recipe,
                                                .engine = options->engine,
                                                .precision = options->precision,
                                                .batch = 1,
                                                .threads = options->threads };
    if (!classifier.checkpoint)
        return I3D_OK;
    TRY(i3d_classifier_open(&classifier, &scorer->classifier));
    int classes = i3d_classifier_class_count(scorer->classifier);
    if (predictor->classes && classes != predictor->classes)
        return failure(I3D_EINVAL,
                       "the rgb network has %d classes, the flow network %d: together they need "
                       "the same",
                       predictor->classes, classes);
    predictor->classes = classes;
    TRY(open_clips(predictor, stream));
out:
    return status;
}

/* An array of names, or an object whose "labels" are one. */
static i3d_status read_labels(const char *path, struct names *out)
{
    i3d_status status;
    json_t *root = NULL;
    size_t i;
    const json_t *item;
    TRY(json_read(path, &root));
    const json_t *labels = json_is_object(root) ? json_object_get(root, "labels") : root;
    if (!json_is_array(labels))
        TRY(failure(I3D_EFORMAT, "'%s' is neither an annotation nor an array of labels", path));
    json_array_foreach(labels, i, item)
    {
        if (!json_is_string(item))
            TRY(failure(I3D_EFORMAT, "label %zu of '%s' is no text", i, path));
        TRY(names_add(out, json_string_value(item)));
    }
out:
    json_decref(root);
    return status;
}

static i3d_status name_classes(const i3d_predictor_options *options, i3d_predictor *predictor)
{
    i3d_status status = I3D_OK;
    char number[32];
    struct names *names = &predictor->names;
    const struct scorer *scorers = predictor->scorers;
    const i3d_classifier *classifier = scorers[scorers[0].classifier ? 0 : 1].classifier;
    if (options->labels)
        TRY(read_labels(options->labels, names));
    if (options->labels && names->count != (size_t)predictor->classes)
        return failure(I3D_EINVAL, "'%s' has %zu labels, the network %d classes", options->labels,
                       names->count, predictor->classes);
    for (int c = (int)names->count; c < predictor->classes; c++) {
        const char *name = i3d_classifier_class_name(classifier, c);
        snprintf(number, sizeof number, "class %d", c);
        TRY(names_add(names, name ? name : number));
    }
out:
    return status;
}

i3d_status i3d_predictor_open(const i3d_predictor_options *options, i3d_predictor **out)
{
    i3d_status status;
    i3d_predictor *predictor = NULL;
    *out = NULL;
    if (!options->rgb && !options->flow)
        return failure(I3D_EINVAL, "a prediction needs the checkpoint of an rgb or a flow network");
    if (options->clips < 1)
        return failure(I3D_EINVAL, "a prediction needs 1 clip or more, not %d", options->clips);
    TRY(memory_get(1, sizeof *predictor, &predictor));
    predictor->video = (i3d_video_options){ .short_side = options->short_side,
                                            .fps = options->fps,
                                            .fill_gaps = options->fill_gaps,
                                            .time_limit = options->time_limit };
    predictor->fusion = options->fusion;
    predictor->clips = options->clips;
    predictor->flow.bound = I3D_FLOW_BOUND;
    TRY(i3d_flow_preset(options->flow_preset, &predictor->flow.flow));
    TRY(open_stream(options, I3D_RGB, predictor));
    TRY(open_stream(options, I3D_FLOW, predictor));
    TRY(name_classes(options, predictor));
    TRY(memory_get((size_t)predictor->classes, sizeof(float), &predictor->logits));
    *out = predictor;
    predictor = NULL;
out:
    i3d_predictor_close(predictor);
    return status;
}

void i3d_predictor_close(i3d_predictor *predictor)
{
    if (!predictor)
        return;
    for (int s = 0; s < STREAMS; s++) {
        i3d_classifier_close(predictor->scorers[s].classifier);
        clip_maker_clear(&predictor->scorers[s].maker);
        memory_free(predictor->scorers[s].clip);
        memory_free(predictor->scorers[s].scores);
    }
    names_clear(&predictor->names);
    memory_free(predictor->logits);
    memory_free(predictor);
}

int i3d_predictor_class_count(const i3d_predictor *predictor)
{
    return predictor->classes;
}

const char *i3d_predictor_class_name(const i3d_predictor *predictor, int label)
{
    return predictor->names.items[label];
}

static void begin_clip(struct scorer *scorer, long frames)
{
    struct window window = clip_window(&scorer->options, frames, scorer->index, NULL);
    clip_begin(&scorer->maker, &window, NULL, scorer->clip);
}

static void begin_scores(const i3d_predictor *predictor, struct scorer *scorer, long frames)
{
    if (!scorer->classifier)
        return;
    scorer->index = 0;
    memset(scorer->scores, 0, (size_t)predictor->classes * sizeof *scorer->scores);
    clip_restart(&scorer->maker);
    begin_clip(scorer, frames);
}

/* If the clip in hand is complete, adds its logits and begins the next. */
static i3d_status score_clip(i3d_predictor *predictor, struct scorer *scorer, long frames)
{
    i3d_status status;
    if (clip_needs(&scorer->maker) >= 0)
        return I3D_OK;
    TRY(i3d_network_run(i3d_classifier_network(scorer->classifier), 1, scorer->clip,
                        predictor->logits));
    for (int c = 0; c < predictor->classes; c++)
        scorer->scores[c] += predictor->logits[c] / (float)predictor->clips;
    if (++scorer->index < predictor->clips)
        begin_clip(scorer, frames);
out:
    return status;
}

static bool is_unfinished(const i3d_predictor *predictor, const struct scorer *scorer)
{
    return scorer->classifier && scorer->index < predictor->clips;
}

/* All clips of all streams, in one pass over the video. */
static i3d_status score(i3d_predictor *predictor, struct frames *video, long frames)
{
    i3d_status status;
    for (int s = 0; s < STREAMS; s++)
        begin_scores(predictor, &predictor->scorers[s], frames);
    for (;;) {
        struct clip_maker *makers[STREAMS];
        int count = 0;
        for (int s = 0; s < STREAMS; s++)
            if (is_unfinished(predictor, &predictor->scorers[s]))
                makers[count++] = &predictor->scorers[s].maker;
        if (count == 0)
            return I3D_OK;
        TRY(clip_fill(video, makers, count));
        for (int s = 0; s < STREAMS; s++)
            if (is_unfinished(predictor, &predictor->scorers[s]))
                TRY(score_clip(predictor, &predictor->scorers[s], frames));
    }
out:
    return status;
}

/* Weighs the streams' scores into probabilities. */
static void fuse(i3d_predictor *predictor, float *probabilities)
{
    double total = 0;
    bool softmax = predictor->fusion.softmax;
    const double weights[STREAMS] = { predictor->fusion.rgb_weight, predictor->fusion.flow_weight };
    for (int c = 0; c < predictor->classes; c++)
        probabilities[c] = 0;
    for (int s = 0; s < STREAMS; s++) {
        struct scorer *scorer = &predictor->scorers[s];
        if (!scorer->classifier)
            continue;
        if (softmax)
            i3d_softmax(scorer->scores, predictor->classes, scorer->scores);
        for (int c = 0; c < predictor->classes; c++)
            probabilities[c] += (float)(weights[s] * scorer->scores[c]);
        total += weights[s];
    }
    if (!softmax)
        i3d_softmax(probabilities, predictor->classes, probabilities);
    for (int c = 0; softmax && total > 0 && c < predictor->classes; c++)
        probabilities[c] = (float)(probabilities[c] / total);
}

i3d_status i3d_predictor_run(i3d_predictor *predictor, const char *path, float *probabilities)
{
    i3d_status status;
    struct frames video = { 0 };
    long frames;
    TRY(i3d_video_count(path, &predictor->video, &frames));
    TRY(frames_decode(&video, path, &predictor->video));
    TRY(score(predictor, &video, frames));
    fuse(predictor, probabilities);
out:
    frames_close(&video);
    return status;
}
