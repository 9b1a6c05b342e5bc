/* The network as the plain operators that other frameworks know: a list in execution order, from
 * the clip to the logits. The formats write it down, one file each. */
#ifndef I3D_EXPORT_PROGRAM_H
#define I3D_EXPORT_PROGRAM_H

#include <i3d/export.h>

#include "model/graph.h"

enum step_kind {
    STEP_DATA, /* the input; the first step, and only that */
    STEP_CONV, /* weight, and a bias if there are two constants */
    STEP_NORM, /* batch norm: gamma, beta, mean, variance */
    STEP_RELU,
    STEP_MAX_POOL, /* padding never wins */
    STEP_AVG_POOL, /* never padded */
    STEP_CONCAT,   /* on channels */
    STEP_MEAN      /* over t, h, w: [N, C, t, h, w] -> [N, C]; the last step */
};

enum { STEP_INPUTS = 4, STEP_CONSTANTS = 4, STEPS_MAX = 4 * GRAPH_OPS_MAX };

/* A parameter, or what folding made of some. The data are a loan. */
struct constant {
    char name[64];
    int rank;
    int64_t shape[5];
    size_t count;
    const float *data;
};

struct instruction {
    enum step_kind kind;
    char name[40]; /* of the step and of its value */
    int input_count, constant_count;
    int inputs[STEP_INPUTS]; /* the steps whose values it reads */
    struct constant constants[STEP_CONSTANTS];
    int channels, size[3];                       /* of its value: C; t, h, w */
    int kernel[3], stride[3], front[3], back[3]; /* t, h, w */
    bool whole;                                  /* a pool over the whole map, in time too */
};

struct program {
    const i3d_model *model;
    i3d_export_options options;
    int count;
    struct instruction steps[STEPS_MAX];
    float *folded; /* laid out as the model's data: weights, and biases where the betas were */
};

/* `*out` is new memory for program_free(); the model is a loan for its life. */
i3d_status program_create(const i3d_model *model, const i3d_export_options *options,
                          struct program **out);
void program_free(struct program *program);

#endif
