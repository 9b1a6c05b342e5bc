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
    struct run run; /* of the first process */
    i3d_comm *comm;
    struct comm alone; /* `comm` of one that trains alone */
    struct learner learner;
    struct schedule schedule;
    struct snapshot state; /* where the run is */
    i3d_loader *loader, *validation_loader;
    const char **names;
    struct learner_report last; /* of the last step that had clips */
    double saved;               /* when, in seconds */
    bool stopped;               /* as asked */
};

void i3d_train_stop(void)
{
    finish_ask();
}

/* Files and talk are one process's. */
static bool is_first(const i3d_trainer *trainer)
{
    return trainer->comm->rank == 0;
}

/* Batches of each process that make a step. */
static int parts_of(const i3d_trainer *trainer)
{
    return trainer->learner.parts;
}

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
        .clips = options->batch * trainer->comm->size * parts_of(trainer),
        .steps = (i3d_loader_batches(trainer->loader) + parts_of(trainer) - 1) / parts_of(trainer),
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
    if (!is_first(trainer))
        return I3D_OK;
    char name[SERIES_NAME_BYTES], *path = NULL;
    const struct snapshot *state = &trainer->state;
    series_name(epoch_of(state), step_of(state), name);
    TRY(learner_save(&trainer->learner));
    TRY(run_checkpoint(&trainer->run, name, &path));
    TRY(snapshot_write(path, state, schedule_rate(&trainer->schedule, state->step)));
    TRY(run_prune(&trainer->run, trainer->options->checkpoints_keep));
    trainer->saved = seconds();
out:
    memory_free(path);
    return status;
}

static i3d_status save_best(i3d_trainer *trainer)
{
    i3d_status status;
    char *path = NULL;
    struct snapshot weights = trainer->state;
    if (!is_first(trainer))
        return I3D_OK;
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

static bool stop_asked(const i3d_trainer *trainer)
{
    return finish_asked() || (is_first(trainer) && run_stop_asked(&trainer->run));
}

static i3d_status tell_step(i3d_trainer *trainer, const struct learner_report *report, double lr,
                            double ms, double waited_ms)
{
    if (report->clips)
        trainer->last = *report;
    if (!is_first(trainer))
        return I3D_OK;
    say_step(trainer, report);
    return log_step(trainer, report, lr, ms, waited_ms);
}

/* One step's batches and their times, in seconds. */
struct timing {
    double began, waited;
};

/* Adds one batch; the last of a step takes it. */
static i3d_status train_batch(i3d_trainer *trainer, const i3d_batch *batch, bool last,
                              const struct timing *timing)
{
    struct snapshot *state = &trainer->state;
    struct learner_report report = { .step = state->step };
    double lr = schedule_rate(&trainer->schedule, state->step);
    i3d_status status;
    TRY(learner_add(&trainer->learner, batch, state->step / state->steps, last));
    if (!last)
        goto out;
    TRY(learner_step(&trainer->learner, state->step, lr, stop_asked(trainer), &report));
    state->step++;
    trainer->stopped = report.stop;
    TRY(tell_step(trainer, &report, lr, 1e3 * (seconds() - timing->began), 1e3 * timing->waited));
out:
    if (status != I3D_OK)
        failure_prefix(status, "training stopped at epoch %d step %ld: ",
                       (int)(report.step / state->steps) + 1, report.step % state->steps + 1);
    return status;
}

/* In the midst of an epoch, if so much time has passed. */
static i3d_status save_at_times(i3d_trainer *trainer)
{
    double every = 60 * trainer->options->checkpoint_minutes;
    return every > 0 && seconds() - trainer->saved >= every ? save(trainer) : I3D_OK;
}

static i3d_status tell_epoch(i3d_trainer *trainer, int steps, double ms)
{
    if (!is_first(trainer))
        return I3D_OK;
    talk("epoch time: %.3f ms, per step time: %.3f ms", ms, ms / steps);
    return run_log(&trainer->run,
                   "{\"event\": \"epoch\", \"epoch\": %d, \"steps\": %d, \"ms\": %.3f, "
                   "\"clips_left_out\": %ld}",
                   epoch_of(&trainer->state), steps, ms, i3d_loader_skipped(trainer->loader));
}

/* The rest of the epoch from where the run is. */
static i3d_status train_epoch(i3d_trainer *trainer)
{
    i3d_status status;
    struct snapshot *state = &trainer->state;
    const i3d_batch *batch;
    int epoch = (int)(state->step / state->steps), first = (int)(state->step % state->steps);
    int parts = parts_of(trainer), batches = i3d_loader_batches(trainer->loader);
    double begin = seconds(), asked = begin;
    struct timing timing = { .began = begin };
    TRY(i3d_loader_start(trainer->loader, epoch, first * parts));
    for (int b = first * parts;
         (status = i3d_loader_next(trainer->loader, &batch)) == I3D_OK && !trainer->stopped; b++) {
        bool last = (b + 1) % parts == 0 || b + 1 == batches;
        timing.waited += seconds() - asked;
        TRY(train_batch(trainer, batch, last, &timing));
        asked = seconds();
        if (!last)
            continue;
        TRY(check_interrupt());
        TRY(save_at_times(trainer));
        timing = (struct timing){ .began = asked };
    }
    if (status == I3D_END)
        status = tell_epoch(trainer, state->steps - first, 1e3 * (seconds() - begin));
out:
    return status;
}

/* The scores of the validation videos; nobody's if a process was asked to stop meanwhile. */
static i3d_status collect(i3d_trainer *trainer, i3d_network *network, i3d_scores *scores)
{
    double stop = 0;
    i3d_status status = i3d_scores_collect(network, trainer->learner.graph.classes,
                                           trainer->validation_loader, trainer->validation, scores);
    if (status == I3D_EINTERRUPTED && finish_asked()) {
        stop = 1;
        status = I3D_OK;
    }
    TRY(status);
    TRY(comm_sum(trainer->comm, (struct array){ .data = &stop, .count = 1, .dtype = I3D_F64 }));
    trainer->stopped = stop > 0;
    if (!trainer->stopped)
        TRY(i3d_scores_join(scores, trainer->comm));
out:
    return status;
}

static i3d_status judge(i3d_trainer *trainer, const i3d_scores *scores)
{
    i3d_status status = I3D_OK;
    i3d_accuracy accuracy = i3d_scores_accuracy(scores, -1);
    double videos = accuracy.videos ? accuracy.videos : 1;
    double top1 = accuracy.top1 / videos, top5 = accuracy.top5 / videos;
    int epoch = epoch_of(&trainer->state);
    if (is_first(trainer)) {
        talk("epoch: %d validation top-1 %.4f, top-5 %.4f of %d videos", epoch, top1, top5,
             accuracy.videos);
        TRY(run_log(&trainer->run,
                    "{\"event\": \"validation\", \"epoch\": %d, \"videos\": %d, \"top1\": %.6f, "
                    "\"top5\": %.6f}",
                    epoch, accuracy.videos, top1, top5));
    }
    if (top1 > trainer->state.best) {
        trainer->state.best = top1;
        TRY(save_best(trainer));
    }
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
    TRY(collect(trainer, network, &scores));
    if (!trainer->stopped)
        TRY(judge(trainer, &scores));
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
    if (trainer->stopped)
        return I3D_OK;
    trainer->state.ended = epoch;
    if (epoch % options->checkpoint_epochs == 0 || epoch == options->epochs)
        TRY(save(trainer));
out:
    return status;
}

/* To the last epoch, or until it is asked to stop. */
static i3d_status train(i3d_trainer *trainer)
{
    i3d_status status = I3D_OK;
    const struct snapshot *state = &trainer->state;
    while (!trainer->stopped) {
        if (state->ended < state->step / state->steps)
            TRY(end_epoch(trainer));
        if (trainer->stopped || state->step >= (long)state->steps * trainer->options->epochs)
            break;
        TRY(train_epoch(trainer));
    }
out:
    return status;
}

/* As asked, so that it can go on; a wish that came with the last step was granted anyway. */
static i3d_status stop(i3d_trainer *trainer)
{
    const struct snapshot *state = &trainer->state;
    i3d_status status;
    TRY(save(trainer));
    finish_clear();
    if (is_first(trainer)) {
        TRY(run_log(&trainer->run, "{\"event\": \"stop\", \"step\": %ld}", state->step));
        TRY(run_stop_done(&trainer->run));
        talk("stopped as asked at epoch %d step %d, which is saved; go on with: i3d train "
             "--resume '%s'",
             epoch_of(state), step_of(state), trainer->run.folder);
    }
out:
    return status;
}

static i3d_status stop_at_once(i3d_trainer *trainer)
{
    i3d_status status = save(trainer);
    if (status != I3D_OK)
        return status;
    return failure(I3D_EINTERRUPTED,
                   "stopped as asked at epoch %d step %d, which is saved; go on with --resume '%s'",
                   epoch_of(&trainer->state), step_of(&trainer->state), trainer->run.folder);
}

static i3d_status tell_start(i3d_trainer *trainer)
{
    const struct snapshot *state = &trainer->state;
    if (!is_first(trainer))
        return I3D_OK;
    if (trainer->comm->size > 1 || parts_of(trainer) > 1)
        talk("a step takes %d clips: %d processes, %d a batch, %d batches", state->clips,
             state->processes, trainer->options->batch, parts_of(trainer));
    talk("step size per epoch: %d", state->steps);
    return run_log(&trainer->run,
                   "{\"event\": \"start\", \"step\": %ld, \"steps_per_epoch\": %d, \"engine\": "
                   "\"%s\", \"trained_parameters\": %zu, \"processes\": %d}",
                   state->step, state->steps, trainer->learner.engine->name,
                   learner_trained_floats(&trainer->learner), state->processes);
}

i3d_status i3d_trainer_run(i3d_trainer *trainer, i3d_train_result *out)
{
    i3d_status status;
    const struct snapshot *state = &trainer->state;
    double begin = seconds();
    trainer->saved = begin;
    TRY(tell_start(trainer));
    TRY(train(trainer));
    if (trainer->stopped)
        TRY(stop(trainer));
    *out = (i3d_train_result){ .steps = state->step,
                               .loss = trainer->last.loss,
                               .accuracy = state->best,
                               .stopped = trainer->stopped };
    if (is_first(trainer) && !trainer->stopped) {
        talk("total_time: %.3f", seconds() - begin);
        talk("Finished training.");
    }
out:
    return status == I3D_EINTERRUPTED && trainer->comm->size == 1 ? stop_at_once(trainer) : status;
}
