/* i3d frames: videos to stores of their frames. */
#include "command.h"
#include "report.h"
#include "store_option.h"

#include "store/frames_extract.h"

int cmd_frames(const struct options *options)
{
    struct frames_extract request = { .source = options->arguments[0],
                                      .video = { .short_side = (int)option_int(options, "size"),
                                                 .fps = option_real(options, "fps"),
                                                 .fill_gaps = option_flag(options, "fill-gaps"),
                                                 .time_limit = option_real(options, "time-limit") },
                                      .store = { .quality = (int)option_int(options, "quality"),
                                                 .planes = 1 },
                                      .jobs = (int)option_int(options, "jobs") };
    struct frames_extracted result;
    if (option_store_form(options, &request.store.form) != I3D_OK ||
        frames_extract(&request, options->arguments[1], &result) != I3D_OK)
        return command_failed();
    struct report report = report_begin(options);
    report_int(&report, "videos", (long long)result.videos);
    report_int(&report, "finished_before", (long long)result.finished_before);
    report_int(&report, "failed", (long long)result.failed);
    report_int(&report, "frames", result.frames);
    report_end(&report);
    return command_left_out(result.failed, result.videos, "videos were left out",
                            "mend what failures.csv says of them, or remove them, and run the same "
                            "command again");
}
