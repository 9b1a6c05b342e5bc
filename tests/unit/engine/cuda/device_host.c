/* The cuda engine's device in host memory: what is put on its stream is done at once. */
#include "engine/cuda/device.h"

#include "base/failure.h"
#include "base/memory.h"

#include <string.h>

struct device {
    int index;
};

i3d_status device_available(void)
{
    return I3D_OK;
}

i3d_status device_open(int index, struct device **out)
{
    i3d_status status = memory_get(1, sizeof **out, out);
    if (status == I3D_OK)
        (*out)->index = index;
    return status;
}

void device_close(struct device *device)
{
    memory_free(device);
}

const char *device_about(const struct device *device)
{
    (void)device;
    return "host memory";
}

kernel_stream device_stream(const struct device *device)
{
    (void)device;
    return NULL;
}

i3d_status device_get(struct device *device, size_t bytes, void **out)
{
    (void)device;
    *out = NULL;
    return bytes ? memory_get(bytes, 1, out) : I3D_OK;
}

void device_free(struct device *device, void *memory)
{
    (void)device;
    memory_free(memory);
}

i3d_status device_upload(struct device *device, void *to, const void *from, size_t bytes)
{
    (void)device;
    memcpy(to, from, bytes);
    return I3D_OK;
}

i3d_status device_download(struct device *device, void *to, const void *from, size_t bytes)
{
    return device_upload(device, to, from, bytes);
}

i3d_status device_tell(struct device *device, void *to, const void *from, size_t bytes)
{
    return device_upload(device, to, from, bytes);
}

i3d_status device_zero(struct device *device, void *to, size_t bytes)
{
    (void)device;
    memset(to, 0, bytes);
    return I3D_OK;
}

i3d_status device_wait(struct device *device)
{
    (void)device;
    return I3D_OK;
}

i3d_status device_get_pinned(struct device *device, size_t bytes, void **out)
{
    return device_get(device, bytes, out);
}

void device_free_pinned(struct device *device, void *memory)
{
    device_free(device, memory);
}

i3d_status device_tick(struct device *device)
{
    (void)device;
    return I3D_OK;
}

i3d_status device_tock(struct device *device, float *milliseconds)
{
    *milliseconds = 0;
    return device_wait(device);
}

i3d_status device_check(struct device *device)
{
    (void)device;
    return I3D_OK;
}

bool device_records(const struct device *device)
{
    (void)device;
    return false;
}

i3d_status device_record(struct device *device)
{
    return device_wait(device);
}

i3d_status device_record_end(struct device *device, struct recording **out)
{
    *out = NULL;
    return device_wait(device);
}

i3d_status device_replay(struct device *device, struct recording *recording)
{
    (void)recording;
    return device_wait(device);
}

void recording_free(struct recording *recording)
{
    (void)recording;
}
