#include "train/trainer.h"

#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"

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

i3d_status trainer_validate(i3d_trainer *trainer)
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
