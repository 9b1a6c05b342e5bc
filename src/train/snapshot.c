#include "train/snapshot.h"

#include "base/failure.h"
#include "base/memory.h"
#include "checkpoint/dialects.h"
#include "eval/recipe.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOMENT_NAME_BYTES = DIALECT_NAME_BYTES + 16 };

/* How random numbers are keyed; 0.1.0, which wrote none, drew an epoch's crops and a step's dropout
 * from other ones. */
enum { RANDOM_KEYS = 2 };

/* What MindSpore's optimizers call their moments. */
static const char *const moment_names[][OPTIMIZER_MOMENTS_MAX] = {
    [I3D_ADAM] = { "moment1", "moment2" },
    [I3D_SGD] = { "accum" },
    [I3D_RMSPROP] = { "mean_square" },
};

static void moment_name(const struct learner *learner, int moment, const i3d_param *param,
                        char out[MOMENT_NAME_BYTES])
{
    char name[DIALECT_NAME_BYTES];
    naming_param(&naming_mindspore, param, name);
    snprintf(out, MOMENT_NAME_BYTES, "%s.%s", moment_names[learner->optimizer.kind][moment], name);
}

/* Calls for each moment of each trained parameter. */
typedef i3d_status (*moment_function)(i3d_weights *weights, struct learner *learner, int moment,
                                      const i3d_param *param, const char *name);

static i3d_status each_moment(i3d_weights *weights, struct learner *learner,
                              moment_function function)
{
    i3d_status status = I3D_OK;
    char name[MOMENT_NAME_BYTES];
    for (int m = 0; m < optimizer_moment_count(&learner->optimizer); m++)
        for (int p = 0; p < learner->graph.param_count; p++) {
            if (!learner->trained[p])
                continue;
            moment_name(learner, m, &learner->graph.params[p], name);
            TRY(function(weights, learner, m, &learner->graph.params[p], name));
        }
out:
    return status;
}

static i3d_status add_moment(i3d_weights *weights, struct learner *learner, int moment,
                             const i3d_param *param, const char *name)
{
    i3d_tensor *tensor;
    i3d_status status;
    TRY(i3d_weights_add(weights, name, I3D_F32, param->rank, param->shape, &tensor));
    TRY(learner_read_moment(learner, moment, param, tensor->data));
out:
    return status;
}

static i3d_status read_moment(i3d_weights *weights, struct learner *learner, int moment,
                              const i3d_param *param, const char *name)
{
    const i3d_tensor *tensor = i3d_weights_find(weights, name);
    float *floats = NULL;
    i3d_status status;
    if (!tensor || i3d_tensor_count(tensor) != param->count)
        return failure(I3D_EINVAL,
                       "it has no '%s': the optimizer and the finetune prefixes must be those the "
                       "run began with",
                       name);
    TRY(memory_get(param->count, sizeof *floats, &floats));
    i3d_tensor_to_f32(tensor, floats);
    TRY(learner_write_moment(learner, moment, param, floats));
out:
    memory_free(floats);
    return status;
}

/* MindSpore's own names, types and shapes for where an optimizer is. */
static i3d_status add_progress(i3d_weights *weights, const struct snapshot *snapshot, double lr)
{
    i3d_status status;
    const int64_t one = 1;
    i3d_tensor *tensor;
    TRY(i3d_weights_add(weights, "global_step", I3D_I32, 1, &one, &tensor));
    *(int32_t *)tensor->data = (int32_t)snapshot->step;
    TRY(i3d_weights_add(weights, "learning_rate", I3D_F32, 0, NULL, &tensor));
    *(float *)tensor->data = (float)lr;
    TRY(scalar_add(weights, "i3d.steps_per_epoch", snapshot->steps));
    TRY(scalar_add(weights, "i3d.epochs_ended", snapshot->ended));
    TRY(scalar_add(weights, "i3d.best_top1", snapshot->best));
    TRY(scalar_add(weights, "i3d.seed", (double)snapshot->seed));
    TRY(scalar_add(weights, "i3d.random_keys", RANDOM_KEYS));
    TRY(scalar_add(weights, "i3d.processes", snapshot->processes));
    TRY(scalar_add(weights, "i3d.step_clips", snapshot->clips));
out:
    return status;
}

i3d_status snapshot_write(const char *path, const struct snapshot *snapshot, double lr)
{
    i3d_status status;
    i3d_weights weights = { 0 };
    TRY(i3d_model_save(snapshot->model, &weights));
    TRY(i3d_recipe_add(&weights, &snapshot->recipe, snapshot->names, snapshot->name_count));
    if (snapshot->learner) {
        TRY(each_moment(&weights, snapshot->learner, add_moment));
        TRY(add_progress(&weights, snapshot, lr));
    }
    TRY(i3d_weights_write(path, &weights));
out:
    i3d_weights_clear(&weights);
    return status;
}

static i3d_status read_progress(const i3d_weights *weights, struct snapshot *snapshot)
{
    double step, steps, ended, seed, keys, clips = snapshot->clips, processes = 0;
    if (!scalar_read(weights, "global_step", &step) || !(step >= 0) ||
        !scalar_read(weights, "i3d.steps_per_epoch", &steps) ||
        !scalar_read(weights, "i3d.epochs_ended", &ended) || !(ended >= 0 && ended <= step) ||
        !scalar_read(weights, "i3d.best_top1", &snapshot->best) ||
        !scalar_read(weights, "i3d.seed", &seed))
        return failure(I3D_EFORMAT, "it does not say where the training was");
    if (!scalar_read(weights, "i3d.random_keys", &keys) || keys != RANDOM_KEYS)
        return failure(I3D_EINVAL, "the run draws its random numbers in another way than this "
                                   "version, so it cannot go on as it began: begin a new run from "
                                   "its weights with --checkpoint-path");
    scalar_read(weights, "i3d.step_clips", &clips);
    if (clips != snapshot->clips)
        return failure(I3D_EINVAL,
                       "its steps have %.0f clips, these %d: give a batch size, so many processes "
                       "and --accumulate that make the same",
                       clips, snapshot->clips);
    if (steps != snapshot->steps)
        return failure(I3D_EINVAL,
                       "its epochs have %.0f steps, these %d: give the data set and the batch size "
                       "the run began with",
                       steps, snapshot->steps);
    if (seed != (double)snapshot->seed)
        return failure(I3D_EINVAL, "the run began with seed %.0f: give that", seed);
    scalar_read(weights, "i3d.processes", &processes);
    snapshot->before = (int)processes;
    snapshot->step = (long)step;
    snapshot->ended = (int)ended;
    return I3D_OK;
}

i3d_status snapshot_read(const char *path, struct snapshot *snapshot)
{
    i3d_status status;
    i3d_weights weights = { 0 };
    TRY(i3d_weights_read(path, &weights));
    TRY(read_progress(&weights, snapshot));
    TRY(each_moment(&weights, snapshot->learner, read_moment));
    TRY(i3d_model_load(snapshot->model, &weights, false, NULL));
    TRY(learner_load(snapshot->learner));
out:
    i3d_weights_clear(&weights);
    if (status != I3D_OK)
        failure_prefix(status, "cannot go on from the checkpoint '%s': ", path);
    return status;
}
