/* How each program names the parameters of an I3D. */
#ifndef I3D_CHECKPOINT_DIALECTS_H
#define I3D_CHECKPOINT_DIALECTS_H

#include <i3d/checkpoint.h>

enum { DIALECT_NAME_BYTES = 256, DIALECT_UNIT_BYTES = 32 };

/* A parameter's name is the root, the unit's name, the branch's, and a tail by i3d_param_role; NULL
 * tails: the dialect has no such parameter. Our own names are the model's. */
struct dialect {
    const char *name;
    bool lower;                  /* units are named in lower case */
    bool channels_last;          /* weights are [kt, kh, kw, in, out] */
    const char *const *branches; /* of a Mixed unit: b0, b1a, b1b, b2a, b2b, b3b */
    const char *const *unit;     /* tails of a convolution of its own */
    const char *const *mixed;    /* tails of one in a branch */
    const char *const *logits;   /* the logits' whole names but the root */
    struct {
        const char *unit;
        int branch;
        const char *name; /* of this one branch, which is out of the rule */
    } odd;
};

enum dialect_index {
    DIALECT_MINDSPORE, /* what our checkpoints are written in */
    DIALECT_MINDSPORE_NEW,
    DIALECT_PIERGIAJ,
    DIALECT_HASSONY2,
    DIALECT_DEEPMIND,
    DIALECT_COUNT
};
extern const struct dialect dialects[DIALECT_COUNT];

/* Where in the network a parameter is. */
struct place {
    const char *unit; /* "Mixed_3b", borrowed from the parameter */
    int branch;       /* of a Mixed unit: 0..5 for b0, b1a, b1b, b2a, b2b, b3b; else -1 */
};
struct place place_of(const i3d_param *param);

/* The names in one set of weights: a dialect, and what stands before every name, "module.". */
struct naming {
    const struct dialect *dialect;
    char root[DIALECT_NAME_BYTES];
};

/* The names in the checkpoints that we write. */
extern const struct naming naming_mindspore;

/* Recognises them by the first convolution's weight and the logits', at least one of which is
 * there; I3D_EFORMAT if neither is in any dialect. */
i3d_status naming_of(const i3d_weights *weights, struct naming *out);

/* A parameter's name; false if the dialect has no such parameter. */
bool naming_param(const struct naming *naming, const i3d_param *param,
                  char out[DIALECT_NAME_BYTES]);

/* The weight of the first convolution, or of the logits; NULL: not there. */
const i3d_tensor *naming_stem(const struct naming *naming, const i3d_weights *weights);
const i3d_tensor *naming_logits(const struct naming *naming, const i3d_weights *weights);

/* True of Caffe's 2-D GoogLeNet, which i3d_model_inflate() takes. */
bool weights_are_googlenet(const i3d_weights *weights);

/* True of what a checkpoint holds beside parameters: an optimizer's state, counters, and how to run
 * the network. */
bool name_is_state(const char *name);

#endif
