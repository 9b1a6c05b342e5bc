/* Training a network on a data set. */
#ifndef I3D_TRAIN_H
#define I3D_TRAIN_H

#include <i3d/clip.h>
#include <i3d/comm.h>
#include <i3d/network.h>
#include <i3d/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How the learning rate goes. STEPS: the original's curve, by stream: rgb is multiplied by the rate
 * until it is 1e-5 or less; flow until 5e-5, then once raised again to 1e-3 times the rate squared
 * and down a second time. COSINE: half a wave from lr to 0 over the whole run. */
typedef enum i3d_schedule {
    I3D_SCHEDULE_STEPS,
    I3D_SCHEDULE_COSINE,
    I3D_SCHEDULE_CONSTANT
} i3d_schedule;

/* Everything that training can be asked for. Start from i3d_train_defaults(). */
typedef struct i3d_train_options {
    const char *folder; /* the run's: checkpoints/, log.jsonl; one run at a time may write in it */
    bool resume;        /* go on from the folder's last checkpoint, as if never interrupted */
    int epochs;         /* 32 */
    int batch;          /* 8; clips of a process, of each part of a step */
    int accumulate;     /* 1; parts of a step, whose gradients are added up */
    i3d_comm *comm;     /* processes that train together, with the same options; NULL: alone */
    bool sync_bn;       /* norms use the statistics of all processes' clips, not of each one's */
    uint64_t seed;      /* 2022; of order, crops, flips and dropout */

    i3d_optimizer optimizer;
    double momentum;     /* .9, of SGD */
    double weight_decay; /* 1e-8; added to the gradient, not on gamma and beta */
    i3d_schedule schedule;
    double lr;        /* .001 */
    double lr_rate;   /* .5, at each step of I3D_SCHEDULE_STEPS ... */
    int lr_epochs;    /* ... which comes every 4 epochs */
    bool lr_no_raise; /* the flow curve goes down once only (the original's has_back) */

    double dropout_keep;  /* .5 */
    const char *prefixes; /* comma separated; parameters whose name begins with one are trained;
                             NULL or "": all */
    bool freeze_bn;       /* true: batch norms that are not trained use their running statistics */
    double bn_momentum;   /* .1: running = .9 running + .1 batch */
    bool mindspore;       /* Adam and RMSprop in MindSpore's form instead of PyTorch's */

    i3d_clip_options clip;       /* of training */
    i3d_clip_options validation; /* of the validation after each epoch */
    i3d_stream stream;

    const char *engine; /* as in i3d_network_options */
    i3d_precision precision;
    int threads, workers; /* of the engine and of the loaders; 0: one a core */

    int checkpoint_epochs;     /* 1: a checkpoint after each epoch */
    double checkpoint_minutes; /* 0: off; a checkpoint within an epoch after so long */
    int checkpoints_keep;      /* 24, the newest; best.ckpt is kept besides */
    bool quiet_steps;          /* a line of loss an epoch instead of a step */
} i3d_train_options;
I3D_API i3d_train_options i3d_train_defaults(void);

/* Parameters that fine-tuning with `prefixes` trains: one flag a parameter into `out`
 * [i3d_model_param_count()]. A prefix that no name begins with is I3D_EINVAL, and the sentence
 * lists the known ones. Running statistics are never trained. */
I3D_API i3d_status i3d_train_select(const i3d_model *model, const char *prefixes, bool *out);

/* For a network whose norms have the statistics of no data (an inflated one), before its training:
 * gives them those of the first training batch, and the scales and shifts that leave what the
 * network computes as it was. Without it, a training in which norms use the batch's statistics
 * begins with another function. Of the options: clip, batch, seed, engine, threads, workers. */
I3D_API i3d_status i3d_model_calibrate(i3d_model *model, const i3d_dataset *dataset,
                                       const i3d_train_options *options);

/* Asks trainings to stop after the step at hand, or in the midst of a validation: a checkpoint is
 * saved, and i3d_trainer_run() gives I3D_OK. Of processes that train together one is enough. Safe
 * in a signal handler. */
I3D_API void i3d_train_stop(void);

typedef struct i3d_trainer i3d_trainer;

/* Takes the run's folder, and if `resume` its last checkpoint into `model`. Model, data sets and
 * options are loans for the trainer's life; `validation` may be NULL. A folder that holds
 * checkpoints already is I3D_EINVAL without `resume`. */
I3D_API i3d_status i3d_trainer_create(i3d_model *model, const i3d_dataset *training,
                                      const i3d_dataset *validation,
                                      const i3d_train_options *options, i3d_trainer **out);

typedef struct i3d_train_result {
    long steps;      /* taken, those before a resume too */
    double loss;     /* of the last step */
    double accuracy; /* the best validation top-1, -1 without validation */
    bool stopped;    /* as asked, before its end */
} i3d_train_result;

/* Trains to the last epoch. Leaves folder/checkpoints/i3d-{epoch}_{step}.ckpt with the weights, how
 * to run them and the optimizer's state, best.ckpt with the weights of the best validation, and
 * folder/log.jsonl; of several processes the first one alone writes. i3d_interrupt() makes one that
 * trains alone save a checkpoint and give I3D_EINTERRUPTED; i3d_train_stop(), or a file
 * folder/stop, which it then removes, ends any training so that it can go on. After a failure the
 * others of several processes wait for this one, until i3d_comm_close() ends them. A loss or a
 * gradient that is not finite is I3D_EINVAL. */
I3D_API i3d_status i3d_trainer_run(i3d_trainer *trainer, i3d_train_result *out);
I3D_API void i3d_trainer_free(i3d_trainer *trainer);

#ifdef __cplusplus
}
#endif
#endif
