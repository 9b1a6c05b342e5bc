/* What all engines are asked for: plain C ("reference"), the fast one on CPUs ("cpu"), plug-ins. */
#ifndef I3D_ENGINE_H
#define I3D_ENGINE_H

#include <i3d/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* F32; BF16: multiply in bfloat16, add in float32, keep parameters in float32;
 * F32_F64: float32 values, sums in float64 (reference engine only);
 * F16: as BF16 with float16, the loss scaled in training; TF32: float32 values whose products are
 * of 10 bits (both on a card only). */
typedef enum i3d_precision {
    I3D_PRECISION_F32,
    I3D_PRECISION_BF16,
    I3D_PRECISION_F32_F64,
    I3D_PRECISION_F16,
    I3D_PRECISION_TF32
} i3d_precision;

/* How training changes parameters by their gradients. */
typedef enum i3d_optimizer { I3D_ADAM, I3D_SGD, I3D_RMSPROP } i3d_optimizer;

#ifdef __cplusplus
}
#endif
#endif
