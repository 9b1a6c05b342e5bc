/* From gradients to better parameters. */
#ifndef I3D_TRAIN_OPTIMIZER_H
#define I3D_TRAIN_OPTIMIZER_H

#include <i3d/train.h>

/* A trained parameter and where its moments are. */
struct optimizer_slot {
    const i3d_param *param;
    size_t at;
    bool decayed;
};

enum { OPTIMIZER_MOMENTS_MAX = 2 };

struct optimizer {
    i3d_optimizer kind;
    double momentum, weight_decay;
    bool mindspore;
    struct optimizer_slot *slots;
    size_t slot_count;
    int moment_count;
    float *moments[OPTIMIZER_MOMENTS_MAX]; /* [count] each: the trained parameters' side by side */
    size_t count;
};

/* For the parameters of `model` that are `trained` (one flag a parameter). Moments start at zero.
 */
i3d_status optimizer_create(const i3d_model *model, const bool *trained,
                            const i3d_train_options *options, struct optimizer *out);
void optimizer_clear(struct optimizer *optimizer);

/* Step 0, 1, ... : changes `data` by `grads`, both laid out as the model's data. */
void optimizer_step(struct optimizer *optimizer, long step, double lr, const float *grads,
                    float *data);

/* What MindSpore's checkpoints put before a parameter's name for its moment: "moment1". */
const char *optimizer_moment_name(const struct optimizer *optimizer, int moment);

#endif
