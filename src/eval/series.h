/* Inside a series: how its files are named. */
#ifndef I3D_EVAL_SERIES_H
#define I3D_EVAL_SERIES_H

#include <i3d/eval.h>

enum { SERIES_NAME_BYTES = 64 };

/* "i3d-{epoch}_{step}.ckpt". */
void series_name(int epoch, int step, char out[SERIES_NAME_BYTES]);

#endif
