/* oneDNN's convolutions and reorders as functions of plain pointers: only this and api.h know
 * oneDNN itself. */
#ifndef I3D_ENGINE_CPU_PRIMITIVE_H
#define I3D_ENGINE_CPU_PRIMITIVE_H

#include <i3d/status.h>

#include "engine/cpu/convolution.h"
#include "engine/cpu/isa.h"

/* oneDNN's engine and stream on this machine's CPU. */
struct device;
i3d_status device_open(struct device **out);
void device_close(struct device *device);

enum isa device_isa(void);  /* the best that oneDNN uses here */
bool device_has_bf16(void); /* instructions that multiply it */

/* What a primitive reads and writes. Of a backward pass SLOT_SRC, SLOT_WEIGHTS and SLOT_DST are the
 * gradients of what they are in the forward pass, where the pass computes or is given those. Of a
 * reorder: from SLOT_SRC to SLOT_DST. */
enum slot { SLOT_SRC, SLOT_WEIGHTS, SLOT_BIAS, SLOT_DST, SLOT_SCRATCH, SLOT_COUNT };

struct primitive_options {
    bool any;  /* input and output are as oneDNN likes them */
    bool adds; /* a fused forward adds what is in its output, too */
};

/* Weights are as oneDNN likes them. */
struct primitive;
i3d_status primitive_convolution(struct device *device, const struct convolution_shape *shape,
                                 enum pass pass, const struct primitive_options *options,
                                 struct primitive **out);

/* From what `from` has in `slot` to what `to` has there; one of them is NULL for row-major
 * float32. */
i3d_status primitive_reorder(struct device *device, enum slot slot, const struct primitive *from,
                             const struct primitive *to, struct primitive **out);
void primitive_free(struct primitive *primitive);

size_t primitive_bytes(const struct primitive *primitive, enum slot slot); /* 0: not used */
const char *primitive_implementation(const struct primitive *primitive);   /* oneDNN's name */

/* oneDNN's last resort, a hundred times slower than the others. */
bool primitive_is_slow(const struct primitive *primitive);

/* pointers[slot], NULL where it is not used; what the primitive writes must be writable. */
i3d_status primitive_run(struct primitive *primitive, const void *const pointers[SLOT_COUNT]);

#endif
