#include "engine/cuda/descriptor.h"

#include "base/failure.h"

static i3d_status refuse(cudnnStatus_t status, const char *what)
{
    char text[512] = "";
    cudnnGetLastErrorString(text, sizeof text);
    i3d_status kind = CUDNN_STATUS_CATEGORY(status) == CUDNN_STATUS_NOT_SUPPORTED ||
                              CUDNN_STATUS_CATEGORY(status) == CUDNN_STATUS_BAD_PARAM
                          ? I3D_EUNSUPPORTED
                          : I3D_EENGINE;
    return failure(kind, "cuDNN cannot %s: %s (%s)", what, cudnnGetErrorString(status), text);
}

i3d_status cudnn_ask(cudnnStatus_t status, const char *what)
{
    return status == CUDNN_STATUS_SUCCESS ? I3D_OK : refuse(status, what);
}

void descriptor_destroy(cudnnBackendDescriptor_t *descriptor)
{
    if (*descriptor)
        cudnnBackendDestroyDescriptor(*descriptor);
    *descriptor = NULL;
}

void descriptors_clear(struct descriptors *all)
{
    while (all->count)
        descriptor_destroy(&all->items[--all->count]);
}

i3d_status descriptor_begin(struct descriptors *all, cudnnBackendDescriptorType_t type,
                            cudnnBackendDescriptor_t *out)
{
    i3d_status status = cudnn_ask(cudnnBackendCreateDescriptor(type, out), "make a descriptor");
    if (status == I3D_OK)
        all->items[all->count++] = *out;
    return status;
}

i3d_status descriptor_set(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                          cudnnBackendAttributeType_t type, int64_t count, const void *values)
{
    return cudnn_ask(cudnnBackendSetAttribute(descriptor, name, type, count, values),
                     "take an attribute");
}

i3d_status descriptor_finish(cudnnBackendDescriptor_t descriptor, const char *what)
{
    return cudnn_ask(cudnnBackendFinalize(descriptor), what);
}
