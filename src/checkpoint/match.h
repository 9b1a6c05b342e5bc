/* Which tensor each parameter of a model is in a set of weights. */
#ifndef I3D_CHECKPOINT_MATCH_H
#define I3D_CHECKPOINT_MATCH_H

#include "checkpoint/dialects.h"
#include "wire/buffer.h"

struct matched_param {
    const i3d_tensor *tensor; /* NULL: nothing that fits */
    bool constant; /* there is no tensor: it is `value` everywhere. BN without a gamma, or folded */
    float value;
};

struct matching {
    struct naming naming;
    struct matched_param *params; /* one a parameter of the model */
    const i3d_param **owners; /* one a tensor: whose it is, if of the wrong shape; NULL: nobody's */
    i3d_match match;
};

/* I3D_EFORMAT if the weights are not an I3D's; what is missing or does not fit is told, and no
 * failure. */
i3d_status match_weights(const i3d_model *model, const i3d_weights *weights, struct matching *out);
void matching_clear(struct matching *matching);

/* A matched parameter's values in our layout; false if there is none. */
bool matching_copy(const struct matching *matching, const i3d_model *model, size_t param,
                   float *out);

/* The sizes of a weight as [out, in, kt, kh, kw]; its rank must be 5. */
void weight_shape(const struct dialect *dialect, const i3d_tensor *tensor, int64_t out[5]);

#endif
