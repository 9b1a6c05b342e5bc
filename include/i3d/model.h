/* The network: I3D, Inception-V1 inflated to 3-D (Carreira, Zisserman 2017), as data. */
#ifndef I3D_MODEL_H
#define I3D_MODEL_H

#include <i3d/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The pool in front of the logits. AVG: a window of 2 frames over the whole map, stride 1, then the
 * logits' mean over time (DeepMind). MAX: one window over everything (MindSpore's checkpoints). */
typedef enum i3d_head { I3D_HEAD_AVG, I3D_HEAD_MAX } i3d_head;

typedef struct i3d_model_options {
    int channels; /* 3 rgb, 2 flow */
    int classes;  /* >= 1 */
    i3d_head head;
    double bn_epsilon; /* 1e-3; MindSpore's checkpoints want 1e-5 */
} i3d_model_options;

/* A network and its parameters in float32: what training changes, checkpoints hold and engines run.
 */
typedef struct i3d_model i3d_model;

/* All weights zero, gamma and variance one: fill with i3d_model_initialize() or a checkpoint. */
I3D_API i3d_status i3d_model_create(const i3d_model_options *options, i3d_model **out);
I3D_API void i3d_model_free(i3d_model *model);
I3D_API const i3d_model_options *i3d_model_get_options(const i3d_model *model);

/* What a parameter is to its operation. */
typedef enum i3d_param_role {
    I3D_PARAM_WEIGHT,   /* [out, in, kt, kh, kw] */
    I3D_PARAM_BIAS,     /* [out], where there is no norm: the logits */
    I3D_PARAM_GAMMA,    /* [out], BN scale */
    I3D_PARAM_BETA,     /* [out], BN shift */
    I3D_PARAM_MEAN,     /* [out], BN running mean, not trained */
    I3D_PARAM_VARIANCE, /* [out], BN running variance, not trained */
} i3d_param_role;
enum { I3D_PARAM_ROLES = 6 };

typedef struct i3d_param {
    const char *name; /* "Mixed_3b_b1a.gamma"; fine-tuning prefixes match it */
    const char *unit; /* the end point it belongs to, "Mixed_3b" */
    i3d_param_role role;
    int rank;
    int64_t shape[5];
    size_t offset, count; /* of its floats in i3d_model_data() */
} i3d_param;

/* The parameters in the network's order, and the one array that holds all of them. */
I3D_API size_t i3d_model_param_count(const i3d_model *model);
I3D_API const i3d_param *i3d_model_param(const i3d_model *model, size_t index);
I3D_API const i3d_param *i3d_model_find_param(const i3d_model *model,
                                              const char *name); /* or NULL */
I3D_API float *i3d_model_data(i3d_model *model);
I3D_API const float *i3d_model_values(const i3d_model *model); /* the same, to be read */
I3D_API size_t i3d_model_data_count(const i3d_model *model);

/* How fresh weights are drawn. Convolutions: He, fan out: N(0, sqrt(2 / (out kt kh kw))). Logits:
 * N(0, .01), or He too (`logits_he`: the original's start). Biases and means 0, gamma, variance 1.
 */
I3D_API void i3d_model_initialize(i3d_model *model, uint64_t seed, bool logits_he);

#ifdef __cplusplus
}
#endif
#endif
