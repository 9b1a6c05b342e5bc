/* From trained networks to accuracies and predictions. */
#ifndef I3D_EVAL_H
#define I3D_EVAL_H

#include <i3d/checkpoint.h>
#include <i3d/clip.h>
#include <i3d/comm.h>
#include <i3d/network.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How a trained network is to be run. `i3d train` records it in the checkpoint; -1 in any field:
 * not known, to be taken from elsewhere. */
typedef struct i3d_recipe {
    int head; /* i3d_head */
    double bn_epsilon;
    int frames, size; /* T, H = W */
    int resize;       /* short side before the crop, 0: off */
    int bgr;          /* 0 or 1 */
} i3d_recipe;
I3D_API i3d_recipe i3d_recipe_unknown(void);

/* What `weights` record; I3D_EFORMAT if a value is out of range. */
I3D_API i3d_status i3d_recipe_read(const i3d_weights *weights, i3d_recipe *out);

/* Records what is known of the recipe, and the classes' names (`classes` of them, NULL: none). */
I3D_API i3d_status i3d_recipe_add(i3d_weights *weights, const i3d_recipe *recipe,
                                  const char *const *names, int classes);

/* A trained network of one stream, ready to run. One thread at a time. */
typedef struct i3d_classifier i3d_classifier;
typedef struct i3d_classifier_options {
    const char *checkpoint; /* any format of i3d_weights_read(), or a graph in an .onnx file */
    i3d_stream stream;      /* that its input channels must agree with */
    i3d_recipe recipe;      /* before what the checkpoint records, behind it the defaults */
    const char *engine;     /* as of i3d_network_create(), or of i3d_network_open(): then the file
                               is run as a graph. NULL or "auto" runs an .onnx file whose weights are
                               not an I3D's by name, or not all there, so too. */
    i3d_precision precision;
    int batch, threads;
} i3d_classifier_options;
I3D_API i3d_status i3d_classifier_open(const i3d_classifier_options *options, i3d_classifier **out);
I3D_API void i3d_classifier_close(i3d_classifier *classifier);
I3D_API int i3d_classifier_class_count(const i3d_classifier *classifier);

/* All of it is known, but of a graph that does not note them the head and the epsilon. */
I3D_API i3d_recipe i3d_classifier_get_recipe(const i3d_classifier *classifier);

/* The name of a class as the checkpoint records it, or NULL. */
I3D_API const char *i3d_classifier_class_name(const i3d_classifier *classifier, int label);
I3D_API i3d_network *i3d_classifier_network(i3d_classifier *classifier); /* a loan */

/* What a network says of each video of a data set. */
typedef struct i3d_scores {
    int videos, classes;
    float *logits;      /* [videos, classes], the mean over a video's clips */
    int32_t *labels;    /* [videos] */
    int32_t *clips;     /* [videos]: how many were scored; 0: the video does not count */
    char **names;       /* [videos], the annotation's keys */
    char **class_names; /* [classes] */
} i3d_scores;
I3D_API void i3d_scores_clear(i3d_scores *scores);

/* Runs one epoch of `loader`, which must be of `dataset` and no larger in its batch than
 * `network`; `classes` are those of the network, at least the data set's. */
I3D_API i3d_status i3d_scores_collect(i3d_network *network, int classes, i3d_loader *loader,
                                      const i3d_dataset *dataset, i3d_scores *out);

/* Of processes that each collected a share of one data set's videos: the scores of all, to all. */
I3D_API i3d_status i3d_scores_join(i3d_scores *scores, i3d_comm *comm);

/* Two streams into one. Videos are paired by name; those of one stream only are left out and
 * reported. A pair with different labels is I3D_EFORMAT. */
typedef struct i3d_fusion {
    double rgb_weight, flow_weight; /* 1, 1 */
    bool softmax;                   /* weigh probabilities instead of logits */
} i3d_fusion;
I3D_API i3d_status i3d_scores_fuse(const i3d_scores *rgb, const i3d_scores *flow,
                                   const i3d_fusion *fusion, i3d_scores *out);

/* How many videos of a class (`label` -1: of all) have their class first, or in the first five. Of
 * equal scores the lower class comes first. */
typedef struct i3d_accuracy {
    int videos, top1, top5;
} i3d_accuracy;
I3D_API i3d_accuracy i3d_scores_accuracy(const i3d_scores *scores, int label);

/* logits [classes] -> probabilities [classes]; may be in place. */
I3D_API void i3d_softmax(const float *logits, int classes, float *out);

/* The `count` best of `scores` [classes], best first, into `labels` [count]. */
I3D_API void i3d_best(const float *scores, int classes, int count, int *labels);

/* From a video file to probabilities, with one network or both; flow is computed on the way. One
 * thread at a time. */
typedef struct i3d_predictor i3d_predictor;
typedef struct i3d_predictor_options {
    const char *rgb, *flow; /* checkpoints, one or both */
    const char *labels;     /* JSON with the classes' names, an annotation or an array; NULL: those
                               that the checkpoint records */
    i3d_recipe recipe;      /* of both networks, as in i3d_classifier_options */
    i3d_fusion fusion;
    int clips;         /* a video, evenly spaced, averaged; 1: the centre */
    int short_side;    /* videos are scaled to it, 240, as `i3d frames` does; 0: as they are */
    double fps;        /* and resampled to it; 0: every frame */
    bool fill_gaps;    /* as in i3d_video_options */
    double time_limit; /* as in i3d_video_options */
    const char *flow_preset; /* of the flow, as i3d_flow_preset() */
    const char *engine;
    i3d_precision precision;
    int threads;
} i3d_predictor_options;
I3D_API i3d_status i3d_predictor_open(const i3d_predictor_options *options, i3d_predictor **out);
I3D_API void i3d_predictor_close(i3d_predictor *predictor);
I3D_API int i3d_predictor_class_count(const i3d_predictor *predictor);

/* A loan; classes without a name are "class 7". */
I3D_API const char *i3d_predictor_class_name(const i3d_predictor *predictor, int label);

/* The probabilities [i3d_predictor_class_count()] of what is in the video. */
I3D_API i3d_status i3d_predictor_run(i3d_predictor *predictor, const char *path,
                                     float *probabilities);

/* Writes into `folder` (made if need be): videos.csv, classes.csv, confusion.csv, confusion.svg. */
I3D_API i3d_status i3d_scores_write(const char *folder, const i3d_scores *scores);

/* The checkpoints i3d-{epoch}_{step}.ckpt of one run, oldest first. */
typedef struct i3d_series_entry {
    char *path;
    int epoch, step; /* from 1; the step within the epoch */
} i3d_series_entry;
typedef struct i3d_series {
    i3d_series_entry *entries;
    size_t count, capacity;
} i3d_series;

/* Those of `folder` whose epoch is `from` to `to`; none is a count of 0. */
I3D_API i3d_status i3d_series_list(const char *folder, int from, int to, i3d_series *out);
I3D_API void i3d_series_clear(i3d_series *series);

/* Writes a table of the entries and their accuracies (one an entry), best first and marked; of
 * equals the newer. */
I3D_API i3d_status i3d_summary_write(const char *path, const i3d_series *series,
                                     const i3d_accuracy *accuracies);

#ifdef __cplusplus
}
#endif
#endif
