/* How each program names the parameters of an I3D. */
#ifndef I3D_CHECKPOINT_DIALECTS_H
#define I3D_CHECKPOINT_DIALECTS_H

#include <i3d/checkpoint.h>

enum { DIALECT_NAME_BYTES = 160 };

struct dialect {
    const char *name;        /* "MindSpore" */
    const char *root;        /* before every name: "RGB/inception_i3d/" */
    bool lower;              /* units are named in lower case */
    bool channels_last;      /* weights are [kt, kh, kw, in, out] */
    const char *branches[6]; /* between a Mixed unit's name and what follows: b0, b1a ... b3b */
    const char *unit[6];     /* behind a unit's name, by i3d_param_kind; NULL: it has none */
    const char *mixed[6];    /* behind a branch's name */
    const char *logits[6];   /* the whole name but the root */
};

/* Ends with a row whose name is NULL. The first is ours. */
extern const struct dialect dialects[];

/* A parameter's name in a dialect; false if the dialect has no such parameter. */
bool dialect_param_name(const struct dialect *dialect, const i3d_param *param,
                        char out[DIALECT_NAME_BYTES]);

/* The dialect whose first convolution or logits are among the weights; NULL: none. */
const struct dialect *dialect_of(const i3d_weights *weights);

/* The weight of the first convolution, or of the logits. */
const i3d_tensor *dialect_find_stem(const struct dialect *dialect, const i3d_weights *weights);
const i3d_tensor *dialect_find_logits(const struct dialect *dialect, const i3d_weights *weights);

/* True of what is in a checkpoint beside the parameters: an optimizer's state, counters, how to run
 * the network. */
bool dialect_is_state(const char *name);

#endif
