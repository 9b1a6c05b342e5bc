/* Rank tables; what is read names hosts that can be words of a command. */
#include "base/memory.h"
#include "comm/rank_table.h"
#include "fuzz_file.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rank_table table;
    char *hosts;
    if (rank_table_read(fuzz_file(data, size), &table) != I3D_OK)
        return 0;
    if (rank_table_hosts(&table, table.count, &hosts) == I3D_OK) {
        if (*hosts == '-' || strpbrk(hosts, " \t\n'\"$;&|<>()`\\"))
            abort();
        memory_free(hosts);
    }
    rank_table_clear(&table);
    return 0;
}
