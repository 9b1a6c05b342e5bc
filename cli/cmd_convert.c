/* i3d convert: weights from one format and naming to another. */
#include "command.h"
#include "report.h"

#include <i3d/checkpoint.h>

#include "base/failure.h"

#include <string.h>

static void report_match(struct report *report, const char *dialect, const i3d_match *match)
{
    report_text(report, "names", "%s", dialect ? dialect : "not an I3D's, copied as they are");
    if (!dialect)
        return;
    report_int(report, "loaded", (long long)match->loaded);
    report_int(report, "missing", (long long)match->missing);
    report_int(report, "wrong_shape", (long long)match->wrong_shape);
    report_int(report, "extra", (long long)match->extra);
    report_int(report, "state", (long long)match->state);
    report_list(report, "differences");
    for (const char *line = match->table; *line; line += strcspn(line, "\n") + 1)
        report_text(report, NULL, "%.*s", (int)strcspn(line, "\n"), line);
    report_close(report);
}

int cmd_convert(const struct options *options)
{
    const char *from = options->arguments[0], *to = options->arguments[1];
    i3d_weights weights, made = { 0 };
    i3d_match match = { 0 };
    i3d_status status;
    TRY(i3d_weights_read(from, &weights));
    status = options_judge(
        i3d_weights_convert(&weights, to, option_flag(options, "strict"), &made, &match));
    if (status != I3D_OK) {
        failure_prefix(status, "cannot convert '%s': ", from);
        goto out;
    }
    TRY(i3d_weights_write(to, &made));
    struct report report = report_begin(options);
    report_text(&report, "from", "%s", weights.format);
    report_match(&report, i3d_weights_dialect(&weights), &match);
    report_text(&report, "to", "%s", to);
    report_int(&report, "tensors", (long long)made.count);
    report_end(&report);
out:
    i3d_match_clear(&match);
    i3d_weights_clear(&weights);
    i3d_weights_clear(&made);
    return command_result(status);
}
