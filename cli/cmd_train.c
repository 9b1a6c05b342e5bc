/* i3d train: a network from a data set. */
#include "command.h"
#include "network_option.h"
#include "processes.h"
#include "report.h"
#include "terminal.h"

#include <i3d/train.h>

#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/talk.h"
#include "eval/recipe.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>

struct job {
    struct options *options;
    struct processes processes;
    i3d_stream stream;
    char *folder, *config;
    i3d_recipe recipe;
    i3d_dataset *training, *validation;
    i3d_model *model;
    i3d_train_options train;
    i3d_trainer *trainer;
};

static bool is(const struct job *job, const char *name, const char *value)
{
    const char *text = option_text(job->options, name);
    return text && strcmp(text, value) == 0;
}

/* The run's folder: the one to go on with, the one that is asked for, or the original's form. */
static i3d_status choose_folder(struct job *job)
{
    const struct options *options = job->options;
    const char *given = option_text(options, "resume"), *dataset = option_text(options, "dataset");
    bool distributed = option_flag(options, "distributed") || job->processes.size > 1;
    char date[32];
    time_t now = time(NULL);
    struct tm local;
    const char *save = option_text(options, "save-dir");
    if (given && save && strcmp(given, save) != 0)
        return options_refuse("--resume '%s' goes on in that folder, not in --save-dir '%s': give "
                              "one of them",
                              given, save);
    if (!given)
        given = save;
    if (given)
        return memory_string(given, &job->folder);
    if (strchr(dataset, '/'))
        return options_refuse("--dataset '%s' is to be part of a folder's name: give it without "
                              "'/', or the folder by --save-dir",
                              dataset);
    if (distributed)
        return memory_format(&job->folder, "output_distribute/%s_%s_device%ld", dataset,
                             option_text(options, "mode"), option_int(options, "device-id"));
    strftime(date, sizeof date, "%Y%m%d_%H%M", localtime_r(&now, &local));
    return memory_format(&job->folder, "output_standalone/%s_%s_%s_device%ld", date, dataset,
                         option_text(options, "mode"), option_int(options, "device-id"));
}

static i3d_status open_data(struct job *job)
{
    i3d_status status;
    const struct options *options = job->options;
    if (!option_text(options, "annotation-path") || !option_text(options, "video-path"))
        return options_refuse("--annotation-path (a JSON of 'i3d annotate') and --video-path "
                              "(folders of frames) say what to train on");
    i3d_dataset_options data = option_dataset(options, job->stream, I3D_TRAINING);
    TRY(i3d_dataset_open(&data, &job->training));
    talk("%d training videos of %d classes", i3d_dataset_video_count(job->training),
         i3d_dataset_class_count(job->training));
    if (option_flag(options, "no-eval"))
        return I3D_OK;
    data.subset = I3D_VALIDATION;
    status = i3d_dataset_open(&data, &job->validation);
    if (status == I3D_EINVAL)
        failure(status, "%s, or give --no-eval", i3d_error());
    TRY(status);
    talk("%d validation videos", i3d_dataset_video_count(job->validation));
out:
    return status;
}

/* Those asked for, else those of the annotation. */
static i3d_status choose_classes(const struct job *job, int *out)
{
    const struct options *options = job->options;
    bool start = option_text(options, "checkpoint-path") != NULL;
    const char *name = start ? "finetune-num-classes" : "num-classes";
    int known = i3d_dataset_class_count(job->training);
    *out = option_given(options, name) ? (int)option_int(options, name) : known;
    if (*out < known)
        return failure(I3D_EINVAL, "--%s %d is too few: the annotation has %d classes", name, *out,
                       known);
    if (*out != known)
        talk("the annotation has %d classes, the network gets %d as asked for", known, *out);
    return I3D_OK;
}

static size_t count_below_logits(const i3d_model *model)
{
    size_t count = 0;
    for (size_t p = 0; p < i3d_model_param_count(model); p++)
        count += strcmp(i3d_model_param(model, p)->unit, "logits") != 0;
    return count;
}

/* Everything but logits of other classes has to fit. */
static i3d_status take_weights(struct job *job, const i3d_weights *weights)
{
    i3d_status status;
    i3d_match match = { 0 };
    int channels, classes;
    const i3d_model_options *model = i3d_model_get_options(job->model);
    TRY(i3d_weights_describe(weights, &channels, &classes));
    if (channels != model->channels)
        TRY(failure(I3D_EINVAL, "it has %d input channels, but --mode %s has %d", channels,
                    option_text(job->options, "mode"), model->channels));
    TRY(i3d_model_load(job->model, weights, classes != model->classes, &match));
    if (classes != model->classes && match.loaded < count_below_logits(job->model))
        TRY(failure(I3D_EFORMAT, "not all its parameters fit: %.*s",
                    (int)strcspn(match.table, "\n"), match.table));
    if (classes == model->classes)
        talk("the checkpoint's logits of %d classes are kept", classes);
    else
        talk("the checkpoint has %d classes, so the logits of %d start anew", classes,
             model->classes);
out:
    i3d_match_clear(&match);
    return status;
}

/* What the network has become is in the run's config, so that a resume does not depend on the file
 * it once started from. */
static i3d_status record_model(struct options *options, const i3d_model_options *model)
{
    i3d_status status;
    char epsilon[32];
    snprintf(epsilon, sizeof epsilon, "%.17g", model->bn_epsilon);
    TRY(option_set(options, option_find("train", "head"),
                   model->head == I3D_HEAD_MAX ? "max" : "avg"));
    TRY(option_set(options, option_find("train", "bn-epsilon"), epsilon));
out:
    return status;
}

/* From fresh weights or those of --checkpoint-path, whose head and epsilon count where no option
 * says otherwise. A resumed run goes on with its own checkpoint instead. */
static i3d_status make_model(struct job *job)
{
    i3d_status status;
    struct options *options = job->options;
    const char *path = option_text(options, "checkpoint-path");
    if (option_text(options, "resume"))
        path = NULL;
    i3d_weights weights = { 0 };
    i3d_recipe recorded = i3d_recipe_unknown();
    bool compat = option_compat(options);
    i3d_model_options model = { .channels = job->stream == I3D_FLOW ? 2 : 3 };
    bool he = option_given(options, "logits-init") ? is(job, "logits-init", "he") : compat;
    TRY(choose_classes(job, &model.classes));
    if (path) {
        TRY(i3d_weights_read(path, &weights));
        TRY(i3d_recipe_read(&weights, &recorded));
    }
    job->recipe = option_recipe(options);
    recorded.frames = (int)option_int(options, "train-sample-duration");
    recorded.size = recorded.resize = recorded.bgr = -1;
    job->recipe = recipe_over(&job->recipe, &recorded);
    job->recipe = recipe_complete(&job->recipe);
    model.head = (i3d_head)job->recipe.head;
    model.bn_epsilon = job->recipe.bn_epsilon;
    TRY(record_model(options, &model));
    TRY(i3d_model_create(&model, &job->model));
    i3d_model_initialize(job->model, (uint64_t)option_int(options, "seed"), he);
    if (path)
        TRY(take_weights(job, &weights));
out:
    i3d_weights_clear(&weights);
    if (status != I3D_OK && path)
        failure_prefix(status, "cannot start from '%s': ", path);
    return status;
}

static void set_clips(struct job *job)
{
    const struct options *options = job->options;
    i3d_train_options *train = &job->train;
    train->validation = option_clip(options, &job->recipe);
    train->clip = train->validation;
    if (option_compat(options))
        i3d_clip_compat_mindspore(&train->clip);
    train->clip.training = true;
    train->clip.clips_per_video = 1;
    train->clip.frames = (int)option_int(options, "train-sample-duration");
    train->clip.resize = job->recipe.resize;
    train->clip.augment = option_flag(options, "augment");
    train->clip.crop_per_frame |= option_flag(options, "crop-per-frame");
    train->clip.flip_keeps_sign |= option_flag(options, "flip-keeps-sign");
    train->clip.temporal_off_by_one |= option_flag(options, "temporal-off-by-one");
}

static void set_options(struct job *job)
{
    const struct options *options = job->options;
    bool compat = option_compat(options);
    bool momentum = option_given(options, "bn-momentum");
    job->train = (i3d_train_options){
        .folder = job->folder,
        .resume = option_text(options, "resume") != NULL,
        .epochs = (int)option_int(options, "num-epochs"),
        .batch = (int)option_int(options, "batch-size"),
        .accumulate = (int)option_int(options, "accumulate"),
        .comm = job->processes.comm,
        .sync_bn = option_flag(options, "sync-bn"),
        .seed = (uint64_t)option_int(options, "seed"),
        .optimizer = is(job, "optimizer", "sgd")       ? I3D_SGD
                     : is(job, "optimizer", "rmsprop") ? I3D_RMSPROP
                                                       : I3D_ADAM,
        .momentum = option_real(options, "momentum"),
        .weight_decay = option_real(options, "weight-decay"),
        .schedule = is(job, "lr-schedule", "cosine")     ? I3D_SCHEDULE_COSINE
                    : is(job, "lr-schedule", "constant") ? I3D_SCHEDULE_CONSTANT
                                                         : I3D_SCHEDULE_STEPS,
        .lr = option_real(options, "lr"),
        .lr_rate = option_real(options, "lr-de-rate"),
        .lr_epochs = (int)option_int(options, "lr-de-epochs"),
        .lr_no_raise = option_flag(options, "has-back"),
        .dropout_keep = option_real(options, "dropout-keep-prob"),
        .prefixes = option_text(options, "checkpoint-path")
                        ? option_text(options, "finetune-prefixes")
                        : NULL,
        .freeze_bn = option_flag(options, "freeze-bn") && !compat,
        .bn_momentum = momentum ? option_real(options, "bn-momentum")
                       : compat ? .9
                                : .1,
        .mindspore = compat,
        .stream = job->stream,
        .engine = option_engine(options),
        .precision = option_precision(options),
        .threads =
            job->processes.threads ? job->processes.threads : (int)option_int(options, "threads"),
        .workers = option_given(options, "num-workers") ? (int)option_int(options, "num-workers")
                                                        : job->processes.threads,
        .checkpoint_epochs = (int)option_int(options, "checkpoint-frequency"),
        .checkpoint_minutes = option_real(options, "checkpoint-minutes"),
        .checkpoints_keep = (int)option_int(options, "checkpoints-num-keep"),
        .quiet_steps = option_flag(options, "sink-mode"),
    };
    set_clips(job);
}

static void report(const struct job *job, const i3d_train_result *result)
{
    struct report report = report_begin(job->options);
    report_text(&report, "folder", "%s", job->folder);
    report_int(&report, "steps", result->steps);
    report_real(&report, "loss", result->loss);
    if (job->validation)
        report_real(&report, "best_validation_accuracy", result->accuracy);
    report_end(&report);
}

static void close_job(struct job *job)
{
    i3d_trainer_free(job->trainer);
    i3d_model_free(job->model);
    i3d_dataset_close(job->validation);
    i3d_dataset_close(job->training);
    memory_free(job->config);
    memory_free(job->folder);
}

/* A number that depends on which videos and classes there are, and in which order. */
static uint64_t hash_data(const i3d_dataset *dataset)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    int videos = dataset ? i3d_dataset_video_count(dataset) : 0;
    for (int v = 0; v < videos; v++) {
        for (const char *c = i3d_dataset_video_name(dataset, v); *c; c++)
            hash = (hash ^ (unsigned char)*c) * 1099511628211u;
        hash = (hash ^ (uint64_t)i3d_dataset_video_label(dataset, v)) * 1099511628211u;
    }
    return hash;
}

/* Everyone trains the same on the same. */
static i3d_status compare(struct job *job)
{
    i3d_status status;
    char *options = NULL, *all = NULL;
    TRY(processes_describe(job->options, &options));
    TRY(memory_format(&all, "%straining videos: %" PRIx64 "\nvalidation videos: %" PRIx64 "\n",
                      options, hash_data(job->training), hash_data(job->validation)));
    TRY(processes_compare(&job->processes, all));
out:
    memory_free(options);
    memory_free(all);
    return status;
}

static i3d_status prepare(struct job *job)
{
    i3d_status status;
    struct options *options = job->options;
    TRY(choose_folder(job));
    TRY(path_join(&job->config, job->folder, "config.json"));
    if (option_text(options, "resume"))
        TRY(options_read(options, job->config));
    option_remark_ignored(options);
    job->stream = is(job, "mode", "flow") ? I3D_FLOW : I3D_RGB;
    TRY(open_data(job));
    TRY(make_model(job));
    set_options(job);
out:
    return status;
}

/* The record says how to train, not that this was a resume: it may start another run. */
static i3d_status write_config(struct job *job)
{
    option_unset(job->options, option_find("train", "resume"));
    return job->processes.rank ? I3D_OK : options_write(job->options, job->config);
}

static i3d_status train(struct job *job, i3d_train_result *result)
{
    i3d_status status;
    i3d_comm *comm = job->processes.comm;
    TRY(i3d_comm_agree(comm, prepare(job)));
    TRY(compare(job));
    if (option_flag(job->options, "calibrate-bn") && !job->train.resume)
        TRY(i3d_model_calibrate(job->model, job->training, &job->train));
    TRY(i3d_trainer_create(job->model, job->training, job->validation, &job->train, &job->trainer));
    TRY(i3d_comm_agree(comm, write_config(job)));
    terminal_speak();
    TRY(i3d_trainer_run(job->trainer, result));
out:
    return status;
}

static void stop(int signal_number)
{
    (void)signal_number;
    i3d_train_stop();
}

int cmd_train(const struct options *options)
{
    i3d_status status;
    i3d_train_result result;
    struct options all = *options; /* with those of the run that goes on */
    struct job job = { .options = &all };
    sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = stop, .sa_flags = SA_RESTART }, NULL);
    TRY(processes_begin(&all, &job.processes));
    TRY(train(&job, &result));
    if (job.processes.rank == 0 && !result.stopped)
        report(&job, &result);
out:
    close_job(&job);
    return processes_end(&job.processes, status);
}
