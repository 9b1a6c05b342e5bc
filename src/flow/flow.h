/* What the files of flow share. */
#ifndef I3D_FLOW_FLOW_H
#define I3D_FLOW_FLOW_H

#include <i3d/flow.h>

enum { FLOW_SIDE_MAX = 16384 };

/* I3D_EINVAL names the option that is out of range, and the range. */
i3d_status flow_options_check(const i3d_flow_options *options);

/* The bytes of a .flo file; `name` is what the sentence of a failure calls it. */
i3d_status field_parse(const char *name, const uint8_t *data, size_t bytes, i3d_field *out);

#endif
