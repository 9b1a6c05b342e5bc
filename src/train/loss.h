/* What training makes small. */
#ifndef I3D_TRAIN_LOSS_H
#define I3D_TRAIN_LOSS_H

#include <stdint.h>

/* Softmax cross-entropy: the sum over `count` clips of -log softmax(logits)[label]. Its gradient by
 * the logits goes into `gradient`; both are [count, classes]. */
double loss_cross_entropy(const float *logits, const int32_t *labels, int count, int classes,
                          float *gradient);

#endif
