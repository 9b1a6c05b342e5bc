/* i3d infer: a network over the raw clips of 'i3d preprocess'. */
#include "command.h"
#include "network_option.h"
#include "report.h"

#include <i3d/edge.h>

#include "base/failure.h"

int cmd_infer(const struct options *options)
{
    i3d_status status;
    i3d_classifier *classifier = NULL;
    i3d_edge_timing timing;
    const i3d_classifier_options wanted = { .checkpoint = option_text(options, "model"),
                                            .stream = option_stream(options),
                                            .recipe = option_recipe(options),
                                            .engine = option_engine(options),
                                            .precision = option_precision(options),
                                            .batch = (int)option_int(options, "batch-size"),
                                            .threads = (int)option_int(options, "threads") };
    struct report report = report_begin(options);
    if (!wanted.checkpoint)
        TRY(options_refuse("--model says which network to run"));
    TRY(i3d_classifier_open(&wanted, &classifier));
    TRY(i3d_edge_infer(classifier, &wanted, options->arguments[0], option_text(options, "root"),
                       &timing));
    i3d_recipe recipe = i3d_classifier_get_recipe(classifier);
    if (recipe.head >= 0) /* a graph need not tell */
        report_text(&report, "head", "%s", recipe.head == I3D_HEAD_MAX ? "max" : "avg");
    if (recipe.bn_epsilon >= 0)
        report_real(&report, "bn_epsilon", recipe.bn_epsilon);
    report_int(&report, "finished_before", timing.finished_before);
    report_int(&report, "infer_count", timing.count);
    report_real(&report, "milliseconds", timing.milliseconds);
    report_end(&report);
out:
    report_drop(&report);
    i3d_classifier_close(classifier);
    return command_result(status);
}
