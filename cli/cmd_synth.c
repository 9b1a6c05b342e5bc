/* i3d synth: make a data set of real video files. */
#include "command.h"
#include "report.h"

#include "video/synth.h"

int cmd_synth(const struct options *options)
{
    struct synth_options request = { .classes = (int)option_int(options, "classes"),
                                     .videos = (int)option_int(options, "videos-per-class"),
                                     .frames = (int)option_int(options, "frames"),
                                     .size = (int)option_int(options, "size"),
                                     .seed = (uint64_t)option_int(options, "seed"),
                                     .jobs = (int)option_int(options, "jobs") };
    if (synth_write(options->arguments[0], &request) != I3D_OK)
        return command_failed();
    struct report report = report_begin(options);
    report_int(&report, "classes", request.classes);
    report_int(&report, "videos", request.classes * request.videos);
    report_text(&report, "split", "%s/split.csv", options->arguments[0]);
    report_end(&report);
    return EXIT_OK;
}
