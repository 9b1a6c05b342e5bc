/* oneDNN's convolutions and reorders as functions of plain pointers: nothing else of the engine
 * knows oneDNN. */
#ifndef I3D_ENGINE_CPU_PRIMITIVE_H
#define I3D_ENGINE_CPU_PRIMITIVE_H

#include <i3d/status.h>

#include "model/graph.h"

#include <stdbool.h>
#include <stddef.h>

/* oneDNN's engine and stream on this machine's CPU. */
struct device;
i3d_status device_open(struct device **out);
void device_close(struct device *device);

/* Channels that lie side by side in the activations oneDNN is fast with here: 16 with AVX-512, 8
 * with AVX2, 0 with less. */
int device_lanes(void);
bool device_has_bf16(void); /* instructions that multiply it */

enum pass { PASS_FORWARD, PASS_BACKWARD_DATA, PASS_BACKWARD_WEIGHTS };

/* What a primitive reads and writes. Of a backward pass SLOT_SRC, SLOT_WEIGHTS and SLOT_DST are the
 * gradients of what they are in the forward pass, where the pass computes or is given those. Of a
 * reorder: from SLOT_SRC to SLOT_DST. */
enum slot { SLOT_SRC, SLOT_WEIGHTS, SLOT_BIAS, SLOT_DST, SLOT_SCRATCH, SLOT_COUNT };

struct convolution_shape {
    const struct op *op;
    int samples;
    bool row_major; /* the source is [N, C, t, h, w] */
    bool any;       /* source and destination are as oneDNN likes them */
    bool bf16;      /* activations and weights; bias and the weights' gradient stay float32 */
    bool fused;     /* forward adds a bias and cuts at 0 */
    bool adds;      /* a fused forward adds what is in its destination, too */
};

/* Activations are [N, C / lanes, t, h, w, lanes], the last block filled up with zeroes; weights are
 * as oneDNN likes them. Backward passes need their `forward`. */
struct primitive;
i3d_status primitive_convolution(struct device *device, const struct convolution_shape *shape,
                                 enum pass pass, const struct primitive *forward,
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

/* pointers[slot], NULL where it is not used. */
i3d_status primitive_run(struct primitive *primitive, void *const pointers[SLOT_COUNT]);

#endif
