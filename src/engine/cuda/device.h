/* A card as the plan sees it: memory, copies, and one stream in whose order all is done. A test has
 * a device in host memory in its place. */
#ifndef I3D_ENGINE_CUDA_DEVICE_H
#define I3D_ENGINE_CUDA_DEVICE_H

#include <i3d/status.h>

#include "engine/cuda/kernels/kernels.h"

#include <stddef.h>

struct device;

/* I3D_OK, or why this machine has no card that will do. */
i3d_status device_available(void);
i3d_status device_open(int index, struct device **out);
void device_close(struct device *device); /* NULL is fine */

/* "NVIDIA H100 80GB HBM3, compute capability 9.0": for people, and to tell cards apart. */
const char *device_about(const struct device *device);
kernel_stream device_stream(const struct device *device);

/* Memory of zeroes, aligned to 256 bytes; of 0 bytes NULL. I3D_ENOMEM: the sentence says how much
 * is wanted and free. */
i3d_status device_get(struct device *device, size_t bytes, void **out);
void device_free(struct device *device, void *memory); /* NULL is fine */

/* In the stream's order. What is uploaded may change when the call is back; a download waits. */
i3d_status device_upload(struct device *device, void *to, const void *from, size_t bytes);
i3d_status device_download(struct device *device, void *to, const void *from, size_t bytes);
i3d_status device_zero(struct device *device, void *to, size_t bytes);
i3d_status device_wait(struct device *device);

/* A download to pinned memory that does not wait: it is there when a later one has waited. */
i3d_status device_tell(struct device *device, void *to, const void *from, size_t bytes);

/* Memory of the host that is copied from and to at full speed. */
i3d_status device_get_pinned(struct device *device, size_t bytes, void **out);
void device_free_pinned(struct device *device, void *memory); /* NULL is fine */

/* Milliseconds of what was put on the stream between the two; the second waits for it. */
i3d_status device_tick(struct device *device);
i3d_status device_tock(struct device *device, float *milliseconds);

/* Whether all launches since the last call were taken. */
i3d_status device_check(struct device *device);

/* What is put on the stream between begin and end is written down, not done; replay does it. Not
 * every device records. */
struct recording;
bool device_records(const struct device *device);
i3d_status device_record(struct device *device);
i3d_status device_record_end(struct device *device, struct recording **out);
i3d_status device_replay(struct device *device, struct recording *recording);
void recording_free(struct recording *recording); /* NULL is fine */

#endif
