/* Norms that take over the statistics of data. */
#ifndef I3D_TRAIN_CALIBRATE_H
#define I3D_TRAIN_CALIBRATE_H

#include <i3d/train.h>

/* i3d_model_calibrate() on one batch. */
i3d_status calibrate(i3d_model *model, const i3d_train_options *options, const i3d_batch *batch);

#endif
