#include "command.h"

#include <i3d/version.h>

int cmd_version(const struct options *options)
{
    (void)options;
    puts("i3d " I3D_VERSION);
    return EXIT_OK;
}
