/* i3d flow: frames or videos to stores of flow, or one video to a video that shows it. */
#include "command.h"
#include "report.h"
#include "store_option.h"

#include "flow/flow_extract.h"
#include "flow/flow_view.h"

#include <string.h>

static void set_real(const struct options *options, const char *name, double *value)
{
    if (option_given(options, name))
        *value = option_real(options, name);
}

static void set_int(const struct options *options, const char *name, int *value)
{
    if (option_given(options, name))
        *value = (int)option_int(options, name);
}

static void set_flag(const struct options *options, const char *name, bool *value)
{
    if (option_given(options, name))
        *value = option_flag(options, name);
}

static void set_border(const struct options *options, i3d_flow_border *value)
{
    static const char *const words[] = { [I3D_FLOW_BORDER_BLACK] = "black",
                                         [I3D_FLOW_BORDER_EDGE] = "edge",
                                         [I3D_FLOW_BORDER_NONE] = "none" };
    for (int i = 0; i < 3 && option_given(options, "border"); i++)
        if (strcmp(option_text(options, "border"), words[i]) == 0)
            *value = (i3d_flow_border)i;
}

/* The preset, and over it every number that was given. */
static i3d_status read_algorithm(const struct options *options, i3d_flow_options *out)
{
    i3d_status status = i3d_flow_preset(option_text(options, "preset"), out);
    if (status != I3D_OK)
        return status;
    set_real(options, "tau", &out->tau);
    set_real(options, "lambda", &out->lambda);
    set_real(options, "theta", &out->theta);
    set_int(options, "levels", &out->levels);
    set_real(options, "scale", &out->scale);
    set_flag(options, "bicubic", &out->bicubic);
    set_int(options, "warps", &out->warps);
    set_int(options, "outer", &out->outer);
    set_int(options, "inner", &out->inner);
    set_real(options, "epsilon", &out->epsilon);
    set_int(options, "look", &out->look);
    set_int(options, "median", &out->median);
    set_real(options, "cubic", &out->cubic);
    set_int(options, "subpixels", &out->subpixels);
    set_border(options, &out->border);
    set_real(options, "smooth", &out->smooth);
    set_flag(options, "recheck", &out->recheck);
    set_flag(options, "stretch", &out->stretch);
    return I3D_OK;
}

static void report_result(const struct options *options, const struct flow_extracted *result)
{
    struct report report = report_begin(options);
    report_int(&report, "videos", (long long)result->videos);
    report_int(&report, "finished_before", (long long)result->finished_before);
    report_int(&report, "failed", (long long)result->failed);
    report_int(&report, "frames", result->frames);
    report_real(&report, "seconds", result->seconds);
    report_real(&report, "frames_per_second",
                result->seconds > 0 ? (double)result->frames / result->seconds : 0);
    report_end(&report);
}

int cmd_flow(const struct options *options)
{
    struct flow_extract request = { .source = options->arguments[0],
                                    .videos = option_flag(options, "from-videos"),
                                    .video = { .short_side = (int)option_int(options, "size"),
                                               .fps = option_real(options, "fps"),
                                               .fill_gaps = option_flag(options, "fill-gaps"),
                                               .time_limit = option_real(options, "time-limit") },
                                    .writer = flow_writer_defaults(),
                                    .jobs = (int)option_int(options, "jobs") };
    request.writer.store.bound = option_real(options, "bound");
    request.writer.fields = option_flag(options, "flo");
    request.writer.store.quality = (int)option_int(options, "quality");

    struct flow_extracted result;
    if (read_algorithm(options, &request.writer.flow) != I3D_OK ||
        option_store_form(options, &request.writer.store.form) != I3D_OK)
        return command_failed();
    if (request.writer.fields && request.writer.store.form != STORE_JPG)
        return command_result(options_refuse("--flo files need a folder: --store jpg"));
    if (option_flag(options, "visualize"))
        return command_result(
            options_judge(flow_view(request.source, &request.video, &request.writer.flow,
                                    request.writer.store.bound, options->arguments[1])));
    if (flow_extract(&request, options->arguments[1], &result) != I3D_OK)
        return command_failed();
    report_result(options, &result);
    return command_left_out(result.failed, result.videos, "videos were left out",
                            "mend what failures.csv says of them, or remove them, and run the same "
                            "command again");
}
