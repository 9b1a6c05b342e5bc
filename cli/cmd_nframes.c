/* i3d nframes: count folders of frames or flow, and check them. */
#include "command.h"
#include "report.h"

#include "store/nframes.h"

int cmd_nframes(const struct options *options)
{
    struct nframes result;
    if (nframes_write(options->arguments[0], option_text(options, "rgb"), &result) != I3D_OK)
        return command_failed();
    struct report report = report_begin(options);
    report_int(&report, "videos", (long long)result.videos);
    report_int(&report, "frames", result.frames);
    report_int(&report, "with_gaps", (long long)result.gaps);
    report_int(&report, "unlike_rgb", (long long)result.mismatch);
    report_end(&report);
    if (!result.gaps)
        return command_left_out(result.mismatch, result.videos, "videos have other numbers of rgb",
                                "make what is missing again");
    return command_left_out(result.gaps, result.videos, "videos have gaps", "make them again");
}
