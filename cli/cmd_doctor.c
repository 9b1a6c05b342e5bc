#include "command.h"
#include "report.h"

#include "base/thread.h"

int cmd_doctor(const struct options *options)
{
    struct report report = report_begin(options);
    report_int(&report, "cores", thread_count());
    report_end(&report);
    return EXIT_OK;
}
