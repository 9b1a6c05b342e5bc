/* i3d flow-error: how far one flow is from another. */
#include "command.h"
#include "report.h"

#include <i3d/flow.h>

int cmd_flow_error(const struct options *options)
{
    i3d_field fields[2] = { 0 };
    double error;
    i3d_status status = I3D_OK;
    for (int i = 0; i < 2 && status == I3D_OK; i++)
        status = i3d_field_read(options->arguments[i], &fields[i]);
    if (status == I3D_OK)
        status = i3d_field_error(&fields[0], &fields[1], &error);
    if (status == I3D_OK) {
        struct report report = report_begin(options);
        report_int(&report, "width", fields[0].width);
        report_int(&report, "height", fields[0].height);
        report_real(&report, "end_point_error", error);
        report_end(&report);
    }
    i3d_field_clear(&fields[0]);
    i3d_field_clear(&fields[1]);
    return command_result(status);
}
