/* The loop over epochs: batches in, log lines and checkpoints out. */
#include "train/trainer.h"

#include "base/clock.h"
#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"
#include "eval/series.h"

#include <stdio.h>

void i3d_train_stop(void)
{
    finish_ask();
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
    trainer->saved = clock_seconds();
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
    TRY(tell_step(trainer, &report, lr, 1e3 * (clock_seconds() - timing->began),
                  1e3 * timing->waited));
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
    return every > 0 && clock_seconds() - trainer->saved >= every ? save(trainer) : I3D_OK;
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
    int parts = trainer->learner.parts, batches = i3d_loader_batches(trainer->loader);
    double begin = clock_seconds(), asked = begin;
    struct timing timing = { .began = begin };
    TRY(i3d_loader_start(trainer->loader, epoch, first * parts));
    for (int b = first * parts;
         (status = i3d_loader_next(trainer->loader, &batch)) == I3D_OK && !trainer->stopped; b++) {
        bool last = (b + 1) % parts == 0 || b + 1 == batches;
        timing.waited += clock_seconds() - asked;
        TRY(train_batch(trainer, batch, last, &timing));
        asked = clock_seconds();
        if (!last)
            continue;
        TRY(check_interrupt());
        TRY(save_at_times(trainer));
        timing = (struct timing){ .began = asked };
    }
    if (status == I3D_END)
        status = tell_epoch(trainer, state->steps - first, 1e3 * (clock_seconds() - begin));
out:
    return status;
}

static i3d_status end_epoch(i3d_trainer *trainer)
{
    i3d_status status = I3D_OK;
    const i3d_train_options *options = trainer->options;
    int epoch = epoch_of(&trainer->state);
    if (trainer->validation)
        TRY(trainer_validate(trainer));
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

/* As asked, so that it can go on. */
static i3d_status stop(i3d_trainer *trainer)
{
    const struct snapshot *state = &trainer->state;
    i3d_status status;
    TRY(save(trainer));
    finish_clear();
    if (is_first(trainer)) {
        TRY(run_log(&trainer->run, "{\"event\": \"stop\", \"step\": %ld}", state->step));
        TRY(run_stop_done(&trainer->run));
        char launch[32] = "";
        if (trainer->learner.comm->size > 1)
            snprintf(launch, sizeof launch, "mpirun -n %d ", trainer->learner.comm->size);
        talk("stopped as asked at epoch %d step %d, which is saved; go on with: %si3d train "
             "--resume '%s'",
             epoch_of(state), step_of(state), launch, trainer->run.folder);
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
    if (trainer->learner.comm->size > 1 || trainer->learner.parts > 1)
        talk("a step takes %d clips: %d processes, %d a batch, %d batches", state->clips,
             state->processes, trainer->options->batch, trainer->learner.parts);
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
    double begin = clock_seconds();
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
        talk("total_time: %.3f", clock_seconds() - begin);
        talk("Finished training.");
    }
out:
    return status == I3D_EINTERRUPTED && trainer->learner.comm->size == 1 ? stop_at_once(trainer)
                                                                          : status;
}
