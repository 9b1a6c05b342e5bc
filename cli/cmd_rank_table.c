/* i3d rank-table: the hosts of an HCCL rank table, for a script. */
#include "command.h"
#include "report.h"

#include "base/memory.h"
#include "base/talk.h"
#include "comm/rank_table.h"

#include <stdlib.h>

/* Cards of the original's machines: a process here runs on processors, or on an --engine's card. */
static void tell_devices(const struct rank_table *table, size_t ranks)
{
    for (size_t r = 0; r < ranks; r++)
        if (table->ranks[r].device > 0) {
            talk("device %d and others of the rank table are not devices here: each is a process "
                 "that --engine places",
                 table->ranks[r].device);
            return;
        }
}

int cmd_rank_table(const struct options *options)
{
    i3d_status status;
    char *hosts = NULL, *end;
    struct rank_table table = { 0 };
    const char *size = options->arguments[1];
    long ranks = strtol(size, &end, 10);
    if (*end || end == size || ranks < 1)
        return command_result(options_refuse("RANK_SIZE is a number from 1 on, not '%s'", size));
    status = rank_table_read(options->arguments[0], &table);
    if (status == I3D_OK)
        status = rank_table_hosts(&table, (size_t)ranks, &hosts);
    if (status == I3D_OK) {
        struct report report = report_begin(options);
        report_int(&report, "device", table.ranks[0].device);
        report_text(&report, "hosts", "%s", hosts);
        report_end(&report);
        tell_devices(&table, (size_t)ranks);
    }
    rank_table_clear(&table);
    memory_free(hosts);
    return command_result(status);
}
