/* i3d predict: what happens in a video file. */
#include "command.h"
#include "network_option.h"
#include "report.h"

#include "base/failure.h"
#include "base/memory.h"

#include <string.h>

static void report_video(struct report *report, const i3d_predictor *predictor, const char *path,
                         const float *probabilities, const int *best, int count)
{
    report_object(report, NULL);
    report_text(report, "video", "%s", path);
    report_list(report, "classes");
    for (int i = 0; i < count; i++) {
        const char *name = i3d_predictor_class_name(predictor, best[i]);
        report_say(report, "%.4f  %s", (double)probabilities[best[i]], name);
        if (!report->json)
            continue;
        report_object(report, NULL);
        report_text(report, "class", "%s", name);
        report_int(report, "label", best[i]);
        report_real(report, "probability", (double)probabilities[best[i]]);
        report_close(report);
    }
    report_close(report);
    report_close(report);
}

/* A file that cannot be read does not stop the others. */
static i3d_status predict_all(i3d_predictor *predictor, const struct options *options)
{
    i3d_status status;
    int classes = i3d_predictor_class_count(predictor), count = (int)option_int(options, "top");
    size_t failed = 0, all = options->argument_count;
    float *probabilities = NULL;
    int *best = NULL;
    struct report report = report_begin(options);
    if (count > classes)
        count = classes;
    TRY(memory_get((size_t)classes, sizeof *probabilities, &probabilities));
    TRY(memory_get((size_t)count, sizeof *best, &best));
    report_list(&report, "videos");
    for (size_t v = 0; v < all; v++) {
        const char *path = options->arguments[v];
        status = i3d_predictor_run(predictor, path, probabilities);
        if (status == I3D_EINTERRUPTED || (status != I3D_OK && all == 1))
            goto out;
        if (status != I3D_OK) {
            command_failed();
            failed++;
            continue;
        }
        i3d_best(probabilities, classes, count, best);
        report_video(&report, predictor, path, probabilities, best, count);
    }
    report_close(&report);
    report_end(&report);
    status = failed ? failure(I3D_EFORMAT, "%zu of %zu videos failed", failed, all) : I3D_OK;
out:
    report_drop(&report);
    memory_free(probabilities);
    memory_free(best);
    return status;
}

int cmd_predict(const struct options *options)
{
    i3d_predictor *predictor = NULL;
    if (!option_text(options, "rgb") && !option_text(options, "flow"))
        return command_result(options_refuse("--rgb, --flow or both say which checkpoints to use"));
    const i3d_predictor_options predict = {
        .rgb = option_text(options, "rgb"),
        .flow = option_text(options, "flow"),
        .labels = option_text(options, "labels"),
        .recipe = option_recipe(options),
        .fusion = option_fusion(options),
        .clips = (int)option_int(options, "num-val-samples"),
        .short_side = (int)option_int(options, "size"),
        .fps = option_real(options, "fps"),
        .fill_gaps = option_flag(options, "fill-gaps"),
        .time_limit = option_real(options, "time-limit"),
        .flow_preset = option_text(options, "flow-preset"),
        .engine = option_engine(options),
        .precision = option_precision(options),
        .threads = (int)option_int(options, "threads"),
    };
    i3d_status status = i3d_predictor_open(&predict, &predictor);
    if (status == I3D_OK)
        status = predict_all(predictor, options);
    i3d_predictor_close(predictor);
    return command_result(status);
}
