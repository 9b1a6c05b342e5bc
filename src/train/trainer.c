/* A trainer: what it is asked, and where it begins. */
#include "train/trainer.h"

#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"
#include "eval/series.h"

#include <limits.h>

static i3d_status check_options(const i3d_train_options *options)
{
    const struct {
        const char *name;
        double value, least, most;
    } ranges[] = {
        { "number of epochs", options->epochs, 1, 1e6 },
        { "batch size", options->batch, 1, 1 << 20 },
        { "number of batches that are accumulated", options->accumulate, 1, 1 << 20 },
        { "minutes between checkpoints", options->checkpoint_minutes, 0, 1e6 },
        { "seed", (double)options->seed, 0, 0x1p53 },
        { "learning rate", options->lr, 1e-12, 1e6 },
        { "learning rate's decay", options->lr_rate, 1e-6, 1 },
        { "epochs between decays", options->lr_epochs, 1, 1e6 },
        { "momentum", options->momentum, 0, 1 },
        { "weight decay", options->weight_decay, 0, 1e6 },
        { "dropout keep probability", options->dropout_keep, 1e-3, 1 },
        { "batch norm momentum", options->bn_momentum, 0, 1 },
        { "epochs between checkpoints", options->checkpoint_epochs, 1, 1e6 },
        { "number of checkpoints kept", options->checkpoints_keep, 1, 1e6 },
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (!(ranges[i].value >= ranges[i].least && ranges[i].value <= ranges[i].most))
            return failure(I3D_EINVAL, "the %s cannot be %.10g: give %g to %g", ranges[i].name,
                           ranges[i].value, ranges[i].least, ranges[i].most);
    return I3D_OK;
}

static i3d_status create_loader(const i3d_trainer *trainer, const i3d_dataset *dataset,
                                const i3d_clip_options *clip, const char *what, i3d_loader **out)
{
    const i3d_train_options *options = trainer->options;
    i3d_loader_options loader = { .clip = *clip,
                                  .batch = options->batch,
                                  .shuffle = clip->training,
                                  .seed = options->seed,
                                  .workers = options->workers,
                                  .share = trainer->comm->rank,
                                  .shares = trainer->comm->size };
    if (i3d_dataset_video_count(dataset) == 0)
        return failure(I3D_EINVAL, "there is no %s video: check the annotation and the video path",
                       what);
    return i3d_loader_create(dataset, &loader, out);
}

/* What a checkpoint says beside the weights. */
static i3d_status describe(i3d_trainer *trainer)
{
    const i3d_model_options *model = i3d_model_get_options(trainer->model);
    const i3d_train_options *options = trainer->options;
    int known = i3d_dataset_class_count(trainer->training);
    if (known > model->classes)
        return failure(I3D_EINVAL, "the data set has %d classes, the network only %d", known,
                       model->classes);
    i3d_status status = memory_get((size_t)known, sizeof *trainer->names, &trainer->names);
    for (int c = 0; status == I3D_OK && c < known; c++)
        trainer->names[c] = i3d_dataset_class_name(trainer->training, c);
    trainer->state = (struct snapshot){
        .model = trainer->model,
        .learner = &trainer->learner,
        .recipe = { .head = (int)model->head,
                    .bn_epsilon = model->bn_epsilon,
                    .frames = options->validation.frames,
                    .size = options->validation.size,
                    .resize = options->validation.resize,
                    .bgr = options->validation.bgr },
        .names = trainer->names,
        .name_count = known,
        .seed = options->seed,
        .processes = trainer->comm->size,
        .clips = options->batch * trainer->comm->size * trainer->learner.parts,
        .steps = (i3d_loader_batches(trainer->loader) + trainer->learner.parts - 1) /
                 trainer->learner.parts,
        .best = -1,
    };
    trainer->schedule = (struct schedule){
        .kind = options->schedule,
        .stream = options->stream,
        .lr = options->lr,
        .rate = options->lr_rate,
        .every = (long)options->lr_epochs * trainer->state.steps,
        .total = (long)options->epochs * trainer->state.steps,
        .no_raise = options->lr_no_raise,
    };
    return status;
}

/* From the newest checkpoint that is whole: a power cut may have hurt the last. */
static i3d_status resume(i3d_trainer *trainer)
{
    i3d_series series;
    i3d_status status = i3d_series_list(trainer->run.checkpoints, 1, INT_MAX, &series);
    if (status != I3D_OK)
        return status;
    status = I3D_EFORMAT;
    for (size_t i = series.count; i-- > 0 && status == I3D_EFORMAT;) {
        status = snapshot_read(series.entries[i].path, &trainer->state);
        talk("%s", status == I3D_OK ? series.entries[i].path : i3d_error());
    }
    i3d_series_clear(&series);
    if (status == I3D_OK && trainer->state.before && trainer->state.before != trainer->comm->size)
        talk("%d processes go on with what %d began; the clips of a step are the same",
             trainer->comm->size, trainer->state.before);
    return status;
}

static i3d_status create(i3d_trainer *trainer)
{
    i3d_status status;
    const i3d_train_options *options = trainer->options;
    TRY(check_options(options));
    TRY(create_loader(trainer, trainer->training, &options->clip, "training", &trainer->loader));
    if (trainer->validation)
        TRY(create_loader(trainer, trainer->validation, &options->validation, "validation",
                          &trainer->validation_loader));
    if (is_first(trainer))
        TRY(run_open(options->folder, options->resume, &trainer->run));
    TRY(learner_create(trainer->model, options, trainer->comm, &trainer->learner));
    TRY(describe(trainer));
    if (options->resume && is_first(trainer))
        TRY(resume(trainer));
out:
    return status;
}

/* Everyone begins where the first process does. */
static i3d_status share_state(i3d_trainer *trainer)
{
    struct snapshot *state = &trainer->state;
    double where[] = { (double)state->step, state->ended, state->best };
    i3d_status status;
    if (trainer->comm->size == 1)
        return I3D_OK;
    TRY(comm_broadcast(
        trainer->comm,
        (struct array){ .data = where, .count = sizeof where / sizeof *where, .dtype = I3D_F64 },
        0));
    state->step = (long)where[0];
    state->ended = (int)where[1];
    state->best = where[2];
    TRY(learner_share(&trainer->learner));
out:
    return status;
}

i3d_status i3d_trainer_create(i3d_model *model, const i3d_dataset *training,
                              const i3d_dataset *validation, const i3d_train_options *options,
                              i3d_trainer **out)
{
    i3d_status status;
    i3d_trainer *trainer = NULL;
    *out = NULL;
    TRY(memory_get(1, sizeof *trainer, &trainer));
    *trainer = (i3d_trainer){ .options = options,
                              .training = training,
                              .validation = validation,
                              .model = model,
                              .alone = comm_self(),
                              .run.lock.descriptor = -1 };
    trainer->comm = options->comm ? options->comm : &trainer->alone;
    TRY(i3d_comm_agree(trainer->comm, create(trainer)));
    TRY(share_state(trainer));
    *out = trainer;
    trainer = NULL;
out:
    i3d_trainer_free(trainer);
    return status;
}

void i3d_trainer_free(i3d_trainer *trainer)
{
    if (!trainer)
        return;
    i3d_loader_free(trainer->loader);
    i3d_loader_free(trainer->validation_loader);
    learner_clear(&trainer->learner);
    run_close(&trainer->run);
    memory_free(trainer->names);
    memory_free(trainer);
}
