/* Descriptors of cuDNN's backend API. */
#ifndef I3D_ENGINE_CUDA_DESCRIPTOR_H
#define I3D_ENGINE_CUDA_DESCRIPTOR_H

#include <i3d/status.h>

#include "engine/cuda/convolution.h"

#include <cudnn_graph.h>

enum { DESCRIPTORS_MAX = 16 };
enum { UID_IN = 1, UID_WEIGHT, UID_OUT, UID_BIAS, UID_SUM, UID_BIASED };

/* Those of one graph, which go when its execution plan is made. */
struct descriptors {
    cudnnBackendDescriptor_t items[DESCRIPTORS_MAX];
    int count;
};

/* I3D_OK, or a sentence: cuDNN cannot do `what`. I3D_EUNSUPPORTED: not this, another thing it may.
 */
i3d_status cudnn_ask(cudnnStatus_t status, const char *what);

i3d_status descriptor_begin(struct descriptors *all, cudnnBackendDescriptorType_t type,
                            cudnnBackendDescriptor_t *out);
i3d_status descriptor_set(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                          cudnnBackendAttributeType_t type, int64_t count, const void *values);
i3d_status descriptor_finish(cudnnBackendDescriptor_t descriptor, const char *what);
void descriptor_destroy(cudnnBackendDescriptor_t *descriptor); /* of NULL nothing */
void descriptors_clear(struct descriptors *all);

/* cudnn_graph.c: the operations of a convolution. Without a card there is no handle. */
i3d_status cudnn_describe(cudnnHandle_t handle, const struct convolution_shape *shape,
                          struct descriptors *all, cudnnBackendDescriptor_t *out);

#endif
