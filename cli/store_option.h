/* --store and --codec: how the commands that write frames or flow keep them. */
#ifndef CLI_STORE_OPTION_H
#define CLI_STORE_OPTION_H

#include "option.h"

#include "store/store.h"

/* I3D_EINVAL for a codec of loose jpgs. */
i3d_status option_store_form(const struct options *options, enum store_form *out);

#endif
