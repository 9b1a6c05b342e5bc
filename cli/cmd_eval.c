/* i3d eval: how often a network, or both together, are right. */
#include "command.h"
#include "network_option.h"
#include "report.h"

#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/talk.h"

#include <string.h>

static const char *const stream_names[] = { "rgb", "flow" };

/* An option by its name or by the original's. */
static const char *either(const struct options *options, const char *name, const char *original)
{
    const char *value = option_text(options, name);
    return value ? value : option_text(options, original);
}

static const char *checkpoint(const struct options *options, i3d_stream stream)
{
    return stream == I3D_FLOW ? either(options, "flow", "flow-path")
                              : either(options, "rgb", "rgb-path");
}

/* In joint mode the flow has its own folder, and may have its own annotation. */
static i3d_status open_data(const struct options *options, i3d_stream stream, bool joint,
                            i3d_dataset **out)
{
    bool training = strcmp(option_text(options, "subset"), "training") == 0;
    i3d_dataset_options data =
        option_dataset(options, stream, training ? I3D_TRAINING : I3D_VALIDATION);
    if (joint && stream == I3D_FLOW) {
        data.root = option_text(options, "video-path-joint-flow");
        if (option_given(options, "annotation-path-joint-flow"))
            data.annotation = option_text(options, "annotation-path-joint-flow");
        data.video = false;
    }
    if (!data.annotation || !data.root)
        return options_refuse("%s says where the %s is; --annotation-path says what it is of",
                              joint && stream == I3D_FLOW ? "--video-path-joint-flow"
                                                          : "--video-path",
                              stream_names[stream]);
    return i3d_dataset_open(&data, out);
}

static const char *choose_engine(const struct options *options)
{
    const char *engine = option_engine(options);
    return option_flag(options, "onnx") && strcmp(engine, "auto") == 0 ? "onnxruntime" : engine;
}

/* With --onnx what a graph has in it cannot be chosen. */
static i3d_status check_onnx(const struct options *options)
{
    static const char *const fixed[] = { "head", "bn-epsilon", "checkpoints" };
    if (!option_flag(options, "onnx"))
        return I3D_OK;
    if (strncmp(choose_engine(options), "onnxruntime", strlen("onnxruntime")) != 0)
        return options_refuse("--onnx runs in ONNX Runtime: leave --engine %s out, or give "
                              "onnxruntime-cpu or onnxruntime-cuda",
                              choose_engine(options));
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        if (option_given(options, fixed[i]))
            return options_refuse("--onnx runs a graph as it is: leave --%s out", fixed[i]);
    return I3D_OK;
}

/* The scores of one checkpoint. */
static i3d_status score(const struct options *options, i3d_stream stream, const char *path,
                        const i3d_dataset *dataset, i3d_scores *out)
{
    i3d_status status;
    i3d_classifier *classifier = NULL;
    i3d_loader *loader = NULL;
    const i3d_classifier_options wanted = { .checkpoint = path,
                                            .stream = stream,
                                            .recipe = option_recipe(options),
                                            .engine = choose_engine(options),
                                            .precision = option_precision(options),
                                            .batch = (int)option_int(options, "batch-size"),
                                            .threads = (int)option_int(options, "threads") };
    TRY(i3d_classifier_open(&wanted, &classifier));
    i3d_recipe recipe = i3d_classifier_get_recipe(classifier);
    const i3d_loader_options load = { .clip = option_clip(options, &recipe),
                                      .batch = wanted.batch,
                                      .workers = (int)option_int(options, "num-workers") };
    TRY(i3d_loader_create(dataset, &load, &loader));
    status = i3d_scores_collect(i3d_classifier_network(classifier),
                                i3d_classifier_class_count(classifier), loader, dataset, out);
    if (status == I3D_EINVAL)
        failure_prefix(status, "cannot evaluate '%s': ", path);
    TRY(status);
    if (i3d_loader_skipped(loader))
        talk("%ld clips were left out", i3d_loader_skipped(loader));
out:
    i3d_loader_free(loader);
    i3d_classifier_close(classifier);
    return status;
}

static double part(int count, int all)
{
    return all ? (double)count / all : 0;
}

/* "rgb accuracy: .." as the original prints it, and more; tables to --save-dir. */
static i3d_status report_scores(struct report *report, const struct options *options,
                                const char *name, const i3d_scores *scores)
{
    char label[64], *folder = NULL;
    i3d_status status = I3D_OK;
    const char *save = option_text(options, "save-dir");
    i3d_accuracy all = i3d_scores_accuracy(scores, -1);
    snprintf(label, sizeof label, "%s_accuracy", name);
    report_real(report, label, part(all.top1, all.videos));
    snprintf(label, sizeof label, "%s_top5_accuracy", name);
    report_real(report, label, part(all.top5, all.videos));
    snprintf(label, sizeof label, "%s_videos", name);
    report_int(report, label, all.videos);
    if (!save)
        return I3D_OK;
    TRY(path_join(&folder, save, name));
    TRY(i3d_scores_write(folder, scores));
    report_text(report, name, "%s", folder);
out:
    memory_free(folder);
    return status;
}

/* Before the work rather than after it: a folder that cannot be written, or another run's. */
static i3d_status open_results(const struct options *options, struct lock *out)
{
    const char *save = option_text(options, "save-dir");
    i3d_status status = save ? folder_make(save) : I3D_OK;
    return save && status == I3D_OK ? lock_take(save, out) : status;
}

static i3d_status eval_single(const struct options *options, struct report *report,
                              i3d_stream stream, struct lock *lock)
{
    i3d_status status;
    i3d_dataset *dataset = NULL;
    i3d_scores scores = { 0 };
    const char *path = checkpoint(options, stream);
    if (!path)
        return options_refuse("--%s says which checkpoint to evaluate", stream_names[stream]);
    TRY(open_data(options, stream, false, &dataset));
    TRY(open_results(options, lock));
    report_text(report, "checkpoint", "%s", path);
    TRY(score(options, stream, path, dataset, &scores));
    TRY(report_scores(report, options, stream_names[stream], &scores));
out:
    i3d_scores_clear(&scores);
    i3d_dataset_close(dataset);
    return status;
}

static i3d_status eval_joint(const struct options *options, struct report *report,
                             struct lock *lock)
{
    i3d_status status;
    i3d_dataset *datasets[2] = { NULL };
    i3d_scores scores[2] = { { 0 } }, joint = { 0 };
    const i3d_fusion fusion = option_fusion(options);
    if (!checkpoint(options, I3D_RGB) || !checkpoint(options, I3D_FLOW))
        return options_refuse("joint evaluation needs two checkpoints, --rgb and --flow");
    for (int s = 0; s < 2; s++)
        TRY(open_data(options, (i3d_stream)s, true, &datasets[s]));
    TRY(open_results(options, lock));
    for (int s = 0; s < 2; s++) {
        const char *path = checkpoint(options, (i3d_stream)s);
        report_text(report, s ? "flow_checkpoint" : "rgb_checkpoint", "%s", path);
        TRY(score(options, (i3d_stream)s, path, datasets[s], &scores[s]));
        TRY(report_scores(report, options, stream_names[s], &scores[s]));
    }
    TRY(i3d_scores_fuse(&scores[I3D_RGB], &scores[I3D_FLOW], &fusion, &joint));
    TRY(report_scores(report, options, "joint", &joint));
out:
    i3d_scores_clear(&joint);
    for (int s = 0; s < 2; s++) {
        i3d_scores_clear(&scores[s]);
        i3d_dataset_close(datasets[s]);
    }
    return status;
}

/* Each checkpoint of a run, and a table of them. */
static i3d_status score_series(const struct options *options, struct report *report,
                               i3d_stream stream, const i3d_series *series,
                               i3d_accuracy *accuracies, struct lock *lock)
{
    i3d_status status;
    i3d_dataset *dataset = NULL;
    i3d_scores scores = { 0 };
    TRY(open_data(options, stream, false, &dataset));
    TRY(open_results(options, lock));
    report_list(report, "checkpoints");
    for (size_t i = 0; i < series->count; i++) {
        const char *path = series->entries[i].path;
        TRY(score(options, stream, path, dataset, &scores));
        accuracies[i] = i3d_scores_accuracy(&scores, -1);
        i3d_scores_clear(&scores);
        report_object(report, NULL);
        report_text(report, "checkpoint", "%s", path);
        report_real(report, stream == I3D_FLOW ? "flow_accuracy" : "rgb_accuracy",
                    part(accuracies[i].top1, accuracies[i].videos));
        report_close(report);
    }
    report_close(report);
out:
    i3d_scores_clear(&scores);
    i3d_dataset_close(dataset);
    return status;
}

static i3d_status eval_series(const struct options *options, struct report *report,
                              i3d_stream stream, struct lock *lock)
{
    i3d_status status;
    const char *folder = option_text(options, "checkpoints");
    const char *save = option_text(options, "save-dir");
    int from = (int)option_int(options, "from"), to = (int)option_int(options, "to");
    i3d_series series = { 0 };
    i3d_accuracy *accuracies = NULL;
    char *summary = NULL;
    TRY(i3d_series_list(folder, from, to, &series));
    if (!series.count)
        TRY(failure(I3D_EINVAL, "'%s' holds no i3d-EPOCH_STEP.ckpt of epochs %d to %d", folder,
                    from, to));
    TRY(memory_get(series.count, sizeof *accuracies, &accuracies));
    TRY(score_series(options, report, stream, &series, accuracies, lock));
    TRY(path_join(&summary, save ? save : folder, "summary.txt"));
    TRY(i3d_summary_write(summary, &series, accuracies));
    report_text(report, "summary", "%s", summary);
out:
    i3d_series_clear(&series);
    memory_free(accuracies);
    memory_free(summary);
    return status;
}

/* As asked for, else by the checkpoints that are given. */
static const char *choose_mode(const struct options *options)
{
    const char *mode = either(options, "mode", "test-mode");
    bool rgb = checkpoint(options, I3D_RGB) != NULL, flow = checkpoint(options, I3D_FLOW) != NULL;
    return mode ? mode : rgb && flow ? "joint" : flow ? "flow" : "rgb";
}

/* The options of --checkpoints agree with each other and the rest. */
static i3d_status check_series(const struct options *options, bool joint)
{
    bool many = option_text(options, "checkpoints") != NULL;
    long from = option_int(options, "from"), to = option_int(options, "to");
    if (!many && (option_given(options, "from") || option_given(options, "to")))
        return options_refuse(
            "--from and --to are epochs of --checkpoints DIR, which is not given");
    if (many && joint)
        return options_refuse("--checkpoints evaluates one stream: --mode rgb or flow");
    if (many && (checkpoint(options, I3D_RGB) || checkpoint(options, I3D_FLOW)))
        return options_refuse("--checkpoints DIR evaluates those of DIR: leave out --rgb and "
                              "--flow");
    if (from > to)
        return options_refuse("--from %ld is behind --to %ld", from, to);
    return I3D_OK;
}

int cmd_eval(const struct options *options)
{
    i3d_status status;
    struct lock lock = { .descriptor = -1 };
    const char *mode = choose_mode(options);
    i3d_stream stream = strcmp(mode, "flow") == 0 ? I3D_FLOW : I3D_RGB;
    bool joint = strcmp(mode, "joint") == 0, many = option_text(options, "checkpoints") != NULL;
    struct report report = report_begin(options);
    option_remark_ignored(options);
    status = check_onnx(options);
    if (status == I3D_OK)
        status = check_series(options, joint);
    if (status == I3D_OK && joint)
        status = eval_joint(options, &report, &lock);
    else if (status == I3D_OK && many)
        status = eval_series(options, &report, stream, &lock);
    else if (status == I3D_OK)
        status = eval_single(options, &report, stream, &lock);
    if (status == I3D_OK)
        report_end(&report);
    report_drop(&report);
    lock_release(&lock);
    return command_result(status);
}
