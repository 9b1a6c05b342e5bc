/* From a video file to probabilities. */
#include <i3d/eval.h>

#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"
#include "eval/reader.h"
#include "wire/json.h"

enum { STREAMS = 2 };

struct i3d_predictor {
    i3d_classifier *networks[STREAMS]; /* by i3d_stream; NULL: without it */
    struct reader readers[STREAMS];
    i3d_video_options video;
    i3d_fusion fusion;
    int clips, classes;
    struct names names;
    float *logits, *scores; /* [classes]: of a clip, of a stream */
};

static i3d_status open_stream(const i3d_predictor_options *options, i3d_stream stream,
                              i3d_predictor *predictor)
{
    i3d_status status;
    const i3d_classifier_options network = { .checkpoint =
                                                 stream == I3D_FLOW ? options->flow : options->rgb,
                                             .stream = stream,
                                             .recipe = options->recipe,
                                             .engine = options->engine,
                                             .precision = options->precision,
                                             .batch = 1,
                                             .threads = options->threads };
    if (!network.checkpoint)
        return I3D_OK;
    TRY(i3d_classifier_open(&network, &predictor->networks[stream]));
    int classes = i3d_classifier_class_count(predictor->networks[stream]);
    if (predictor->classes && classes != predictor->classes)
        return failure(I3D_EINVAL,
                       "the rgb network has %d classes, the flow network %d: together they need "
                       "the same",
                       predictor->classes, classes);
    predictor->classes = classes;
    i3d_recipe recipe = i3d_classifier_get_recipe(predictor->networks[stream]);
    TRY(reader_create(stream, &recipe, options->flow_preset, &predictor->readers[stream]));
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
    const i3d_classifier *network = predictor->networks[predictor->networks[0] ? 0 : 1];
    if (options->labels)
        TRY(read_labels(options->labels, names));
    if (options->labels && names->count != (size_t)predictor->classes)
        return failure(I3D_EINVAL, "'%s' has %zu labels, the network %d classes", options->labels,
                       names->count, predictor->classes);
    for (int c = (int)names->count; c < predictor->classes; c++) {
        const char *name = i3d_classifier_class_name(network, c);
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
    TRY(open_stream(options, I3D_RGB, predictor));
    TRY(open_stream(options, I3D_FLOW, predictor));
    TRY(name_classes(options, predictor));
    TRY(memory_get((size_t)predictor->classes, sizeof(float), &predictor->logits));
    TRY(memory_get((size_t)predictor->classes, sizeof(float), &predictor->scores));
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
        i3d_classifier_close(predictor->networks[s]);
        reader_clear(&predictor->readers[s]);
    }
    names_clear(&predictor->names);
    memory_free(predictor->logits);
    memory_free(predictor->scores);
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

/* The mean of a stream's logits over the clips, into predictor->scores. */
static i3d_status score(i3d_predictor *predictor, i3d_stream stream, const char *path, long frames)
{
    i3d_status status = I3D_OK;
    struct reader *reader = &predictor->readers[stream];
    i3d_network *network = i3d_classifier_network(predictor->networks[stream]);
    for (int c = 0; c < predictor->classes; c++)
        predictor->scores[c] = 0;
    for (int k = 0; k < predictor->clips; k++) {
        TRY(reader_read(reader, path, &predictor->video, frames, k, predictor->clips));
        TRY(i3d_network_run(network, 1, reader->clip, predictor->logits));
        for (int c = 0; c < predictor->classes; c++)
            predictor->scores[c] += predictor->logits[c] / (float)predictor->clips;
    }
out:
    return status;
}

i3d_status i3d_predictor_run(i3d_predictor *predictor, const char *path, float *probabilities)
{
    i3d_status status;
    long frames;
    double total = 0;
    bool softmax = predictor->fusion.softmax;
    const double weights[STREAMS] = { predictor->fusion.rgb_weight, predictor->fusion.flow_weight };
    TRY(reader_count(path, &predictor->video, &frames));
    for (int c = 0; c < predictor->classes; c++)
        probabilities[c] = 0;
    for (int s = 0; s < STREAMS; s++) {
        if (!predictor->networks[s])
            continue;
        TRY(score(predictor, (i3d_stream)s, path, frames));
        if (softmax)
            i3d_softmax(predictor->scores, predictor->classes, predictor->scores);
        for (int c = 0; c < predictor->classes; c++)
            probabilities[c] += (float)(weights[s] * predictor->scores[c]);
        total += weights[s];
    }
    if (!softmax)
        i3d_softmax(probabilities, predictor->classes, probabilities);
    for (int c = 0; softmax && total > 0 && c < predictor->classes; c++)
        probabilities[c] = (float)(probabilities[c] / total);
out:
    return status;
}
