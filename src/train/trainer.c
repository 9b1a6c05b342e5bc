/* The loop over epochs: batches in, log lines and checkpoints out. */
#include <i3d/train.h>

#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"
#include "eval/series.h"
#include "train/learner.h"
#include "train/run.h"
#include "train/schedule.h"
#include "train/snapshot.h"

#include <limits.h>
#include <stdio.h>
#include <time.h>

struct i3d_trainer {
    const i3d_train_options *options;
    const i3d_dataset *training, *validation;
    i3d_model *model;
    struct run run;
    struct comm comm;
    struct learner learner;
    struct schedule schedule;
    struct snapshot state; /* where the run is */
    i3d_loader *loader, *validation_loader;
    const char **names;
    struct learner_report last; /* of the last step that had clips */
};

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static i3d_status check_options(const i3d_train_options *options)
{
    const struct {
        const char *name;
        double value, least, most;
    } ranges[] = {
        { "number of epochs", options->epochs, 1, 1e6 },
        { "batch size", options->batch, 1, 1 << 20 },
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

static i3d_status create_loader(const i3d_dataset *dataset, const i3d_train_options *options,
                                const i3d_clip_options *clip, const char *what, i3d_loader **out)
{
    i3d_loader_options loader = { .clip = *clip,
                                  .batch = options->batch,
                                  .shuffle = clip->training,
                                  .seed = options->seed,
                                  .workers = options->workers };
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
        .steps = i3d_loader_batches(trainer->loader),
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
    return status;
}

i3d_status i3d_trainer_create(i3d_model *model, const i3d_dataset *training,
                              const i3d_dataset *validation, const i3d_train_options *options,
                              i3d_trainer **out)
{
    i3d_status status;
    i3d_trainer *trainer = NULL;
    *out = NULL;
    TRY(check_options(options));
    TRY(memory_get(1, sizeof *trainer, &trainer));
    *trainer = (i3d_trainer){ .options = options,
                              .training = training,
                              .validation = validation,
                              .model = model,
                              .run.lock.descriptor = -1 };
    TRY(create_loader(training, options, &options->clip, "training", &trainer->loader));
    if (validation)
        TRY(create_loader(validation, options, &options->validation, "validation",
                          &trainer->validation_loader));
    TRY(run_open(options->folder, options->resume, &trainer->run));
    trainer->comm = comm_self();
    TRY(learner_create(model, options, &trainer->comm, &trainer->learner));
    TRY(describe(trainer));
    if (options->resume)
        TRY(resume(trainer));
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
    comm_close(&trainer->comm);
    run_close(&trainer->run);
    memory_free(trainer->names);
    memory_free(trainer);
}

/* Where the run is, counted from 1 as users see it: after no step, step 0 of epoch 1. */
static int epoch_of(const struct snapshot *state)
{
    return state->step ? (int)((state->step - 1) / state->steps) + 1 : 1;
}

static int step_of(const struct snapshot *state)
{
    return state->step ? (int)((state->step - 1) % state->steps) + 1 : 0;
}

static i3d_status save(i3d_trainer *trainer)
{
    i3d_status status;
    char name[SERIES_NAME_BYTES], *path = NULL;
    const struct snapshot *state = &trainer->state;
    series_name(epoch_of(state), step_of(state), name);
    TRY(learner_save(&trainer->learner));
    TRY(run_checkpoint(&trainer->run, name, &path));
    TRY(snapshot_write(path, state, schedule_rate(&trainer->schedule, state->step)));
    TRY(run_prune(&trainer->run, trainer->options->checkpoints_keep));
out:
    memory_free(path);
    return status;
}

static i3d_status save_best(i3d_trainer *trainer)
{
    i3d_status status;
    char *path = NULL;
    struct snapshot weights = trainer->state;
    weights.learner = NULL;
    TRY(run_checkpoint(&trainer->run, "best.ckpt", &path));
    TRY(snapshot_write(path, &weights, 0));
out:
    memory_free(path);
    return status;
}

static i3d_status log_step(i3d_trainer *trainer, const struct learner_report *report, double lr,
                           double ms, double waited_ms)
{
    char learnt[80] = "\"loss\": null, \"gradient_norm\": null";
    if (report->clips)
        snprintf(learnt, sizeof learnt, "\"loss\": %.9g, \"gradient_norm\": %.9g", report->loss,
                 report->gradient_norm);
    return run_log(&trainer->run,
                   "{\"event\": \"step\", \"epoch\": %d, \"step\": %d, %s, \"lr\": %.9g, "
                   "\"clips\": %d, \"ms\": %.3f, \"waited_ms\": %.3f}",
                   epoch_of(&trainer->state), step_of(&trainer->state), learnt, lr, report->clips,
                   ms, waited_ms);
}

static void say_step(const i3d_trainer *trainer, const struct learner_report *report)
{
    const struct snapshot *state = &trainer->state;
    int epoch = epoch_of(state), step = step_of(state);
    if (!report->clips)
        talk("epoch: %d step: %d, all clips were left out", epoch, step);
    else if (!trainer->options->quiet_steps || step == state->steps)
        talk("epoch: %d step: %d, loss is %.7g", epoch, step, report->loss);
    talk_progress("training", state->step, (long)state->steps * trainer->options->epochs);
}

/* `waited`: seconds until the loader had the batch ready. */
static i3d_status train_batch(i3d_trainer *trainer, const i3d_batch *batch, double waited)
{
    struct snapshot *state = &trainer->state;
    struct learner_report report;
    double begin = seconds(), lr = schedule_rate(&trainer->schedule, state->step);
    i3d_status status = learner_step(&trainer->learner, batch, state->step / state->steps,
                                     state->step, lr, &report);
    if (status != I3D_OK)
        return failure_prefix(status, "training stopped at epoch %d step %ld: ",
                              (int)(state->step / state->steps) + 1,
                              state->step % state->steps + 1);
    state->step++;
    if (report.clips)
        trainer->last = report;
    say_step(trainer, &report);
    return log_step(trainer, &report, lr, 1e3 * (seconds() - begin), 1e3 * waited);
}

/* The rest of the epoch from where the run is. */
static i3d_status train_epoch(i3d_trainer *trainer)
{
    i3d_status status;
    struct snapshot *state = &trainer->state;
    const i3d_batch *batch;
    int epoch = (int)(state->step / state->steps), first = (int)(state->step % state->steps);
    double begin = seconds(), asked = begin;
    TRY(i3d_loader_start(trainer->loader, epoch, first));
    while ((status = i3d_loader_next(trainer->loader, &batch)) == I3D_OK) {
        TRY(train_batch(trainer, batch, seconds() - asked));
        TRY(check_interrupt());
        asked = seconds();
    }
    if (status != I3D_END)
        goto out;
    double ms = 1e3 * (seconds() - begin);
    int steps = state->steps - first;
    talk("epoch time: %.3f ms, per step time: %.3f ms", ms, ms / steps);
    status = run_log(&trainer->run,
                     "{\"event\": \"epoch\", \"epoch\": %d, \"steps\": %d, \"ms\": %.3f, "
                     "\"clips_left_out\": %ld}",
                     epoch + 1, steps, ms, i3d_loader_skipped(trainer->loader));
out:
    return status;
}

static i3d_status validate(i3d_trainer *trainer)
{
    i3d_status status;
    const i3d_train_options *options = trainer->options;
    i3d_network *network = NULL;
    i3d_scores scores = { 0 };
    i3d_network_options plan = { .engine = options->engine,
                                 .precision = options->precision,
                                 .batch = options->batch,
                                 .frames = options->validation.frames,
                                 .height = options->validation.size,
                                 .width = options->validation.size,
                                 .threads = options->threads };
    TRY(learner_save(&trainer->learner));
    TRY(i3d_network_create(trainer->model, &plan, &network));
    TRY(i3d_scores_collect(network, trainer->learner.graph.classes, trainer->validation_loader,
                           trainer->validation, &scores));
    i3d_accuracy accuracy = i3d_scores_accuracy(&scores, -1);
    double videos = accuracy.videos ? accuracy.videos : 1;
    double top1 = accuracy.top1 / videos, top5 = accuracy.top5 / videos;
    talk("epoch: %d validation top-1 %.4f, top-5 %.4f of %d videos", epoch_of(&trainer->state),
         top1, top5, accuracy.videos);
    TRY(run_log(&trainer->run,
                "{\"event\": \"validation\", \"epoch\": %d, \"videos\": %d, \"top1\": %.6f, "
                "\"top5\": %.6f}",
                epoch_of(&trainer->state), accuracy.videos, top1, top5));
    if (top1 > trainer->state.best) {
        trainer->state.best = top1;
        TRY(save_best(trainer));
    }
out:
    i3d_scores_clear(&scores);
    i3d_network_free(network);
    return status;
}

static i3d_status end_epoch(i3d_trainer *trainer)
{
    i3d_status status = I3D_OK;
    const i3d_train_options *options = trainer->options;
    int epoch = epoch_of(&trainer->state);
    if (trainer->validation)
        TRY(validate(trainer));
    trainer->state.ended = epoch;
    if (epoch % options->checkpoint_epochs == 0 || epoch == options->epochs)
        TRY(save(trainer));
out:
    return status;
}

static i3d_status train(i3d_trainer *trainer)
{
    i3d_status status = I3D_OK;
    const struct snapshot *state = &trainer->state;
    for (;;) {
        if (state->ended < state->step / state->steps)
            TRY(end_epoch(trainer));
        if (state->step >= (long)state->steps * trainer->options->epochs)
            break;
        TRY(train_epoch(trainer));
    }
out:
    return status;
}

static i3d_status stop(i3d_trainer *trainer)
{
    i3d_status status = save(trainer);
    if (status != I3D_OK)
        return status;
    return failure(I3D_EINTERRUPTED,
                   "stopped as asked at epoch %d step %d, which is saved; go on with --resume '%s'",
                   epoch_of(&trainer->state), step_of(&trainer->state), trainer->run.folder);
}

i3d_status i3d_trainer_run(i3d_trainer *trainer, i3d_train_result *out)
{
    i3d_status status;
    const struct snapshot *state = &trainer->state;
    double begin = seconds();
    talk("step size per epoch: %d", state->steps);
    TRY(run_log(&trainer->run,
                "{\"event\": \"start\", \"step\": %ld, \"steps_per_epoch\": %d, \"engine\": "
                "\"%s\", \"trained_parameters\": %zu}",
                state->step, state->steps, trainer->learner.engine->name,
                learner_trained_floats(&trainer->learner)));
    TRY(train(trainer));
    *out = (i3d_train_result){ .steps = state->step,
                               .loss = trainer->last.loss,
                               .accuracy = state->best };
    talk("total_time: %.3f", seconds() - begin);
    talk("Finished training.");
out:
    return status == I3D_EINTERRUPTED ? stop(trainer) : status;
}
