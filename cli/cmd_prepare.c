/* i3d prepare: video files to frames, flow and annotation in one pass. */
#include "command.h"
#include "report.h"
#include "store_option.h"

#include "clip/prepare.h"

static void report_result(const struct options *options, const struct prepared *result)
{
    struct report report = report_begin(options);
    report_int(&report, "videos", (long long)result->videos);
    report_int(&report, "finished_before", (long long)result->finished_before);
    report_int(&report, "failed", (long long)result->failed);
    report_int(&report, "missing", (long long)result->missing);
    report_int(&report, "frames", result->frames);
    report_end(&report);
}

int cmd_prepare(const struct options *options)
{
    struct prepare request = {
        .videos = options->arguments[1],
        .rule = { .dataset = options->arguments[0],
                  .source = option_text(options, "split"),
                  .test_where = option_text(options, "test-where"),
                  .ratio = { .training = option_real(options, "ratio"),
                             .group_pattern = option_text(options, "group-pattern"),
                             .seed = (uint64_t)option_int(options, "seed") } },
        .video = { .short_side = (int)option_int(options, "size"),
                   .fps = option_real(options, "fps"),
                   .fill_gaps = option_flag(options, "fill-gaps"),
                   .time_limit = option_real(options, "time-limit") },
        .flow = flow_writer_defaults(),
        .jobs = (int)option_int(options, "jobs"),
    };
    request.flow.store.bound = option_real(options, "bound");
    request.flow.store.quality = (int)option_int(options, "quality");

    struct prepared result;
    if (options_judge(split_check(&request.rule)) != I3D_OK ||
        i3d_flow_preset(option_text(options, "preset"), &request.flow.flow) != I3D_OK ||
        option_store_form(options, &request.flow.store.form) != I3D_OK ||
        prepare_run(&request, options->arguments[2], &result) != I3D_OK)
        return command_failed();
    report_result(options, &result);
    if (!result.failed && result.nameless)
        return command_left_out(result.nameless, result.videos, NAMELESS);
    if (!result.failed)
        return command_left_out(result.missing, result.videos + result.missing,
                                "videos of the split are missing",
                                "add them and run the same command again");
    return command_left_out(result.failed, result.videos, "videos were left out",
                            "mend what failures.csv says of them, or remove them, and run the same "
                            "command again");
}
