/* i3d postprocess: accuracy from the answers of 'i3d infer' or of another device. */
#include "command.h"
#include "network_option.h"
#include "report.h"

#include <i3d/edge.h>

#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"
#include "edge/place.h"

#include <string.h>

/* Tables to --save-dir, in the folder of the mode, as 'i3d eval' does. */
static i3d_status save(const struct options *options, struct report *report, const char *mode,
                       const i3d_scores *scores)
{
    i3d_status status;
    char *folder = NULL;
    TRY(path_join(&folder, option_text(options, "save-dir"), mode));
    TRY(i3d_scores_write(folder, scores));
    report_text(report, mode, "%s", folder);
out:
    memory_free(folder);
    return status;
}

int cmd_postprocess(const struct options *options)
{
    i3d_status status;
    i3d_scores rgb = { 0 }, flow = { 0 }, joint = { 0 };
    const i3d_edge_place places[] = { option_place(options, I3D_RGB),
                                      option_place(options, I3D_FLOW) };
    const i3d_fusion fusion = option_fusion(options);
    const char *mode = option_text(options, "mode");
    const i3d_scores *asked = strcmp(mode, "joint") == 0  ? &joint
                              : strcmp(mode, "flow") == 0 ? &flow
                                                          : &rgb;
    struct report report = report_begin(options);
    TRY(options_judge(place_check(&places[I3D_RGB])));
    if (asked != &flow)
        TRY(i3d_edge_postprocess(&places[I3D_RGB], &rgb));
    if (asked != &rgb)
        TRY(i3d_edge_postprocess(&places[I3D_FLOW], &flow));
    if (asked == &joint)
        TRY(i3d_scores_fuse(&rgb, &flow, &fusion, &joint));
    i3d_accuracy all = i3d_scores_accuracy(asked, -1);
    double top1 = all.videos ? (double)all.top1 / all.videos : 0;
    report_int(&report, "videos", all.videos);
    report_int(&report, "right", all.top1);
    report_real(&report, "accuracy", top1);
    if (option_text(options, "save-dir"))
        TRY(save(options, &report, mode, asked));
    report_say(&report, "eval result: top_1 %.3f%%", top1 * 100);
    report_end(&report);
out:
    report_drop(&report);
    i3d_scores_clear(&rgb);
    i3d_scores_clear(&flow);
    i3d_scores_clear(&joint);
    return command_result(status);
}
