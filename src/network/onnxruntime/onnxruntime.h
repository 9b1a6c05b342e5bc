/* ONNX Runtime: a network that stands in an .onnx file as a graph, whoever wrote it, run as it is.
 * Only this folder knows the library. onnxruntime_none.c stands in where a build has no headers. */
#ifndef I3D_NETWORK_ONNXRUNTIME_ONNXRUNTIME_H
#define I3D_NETWORK_ONNXRUNTIME_ONNXRUNTIME_H

#include <i3d/network.h>

struct session;

/* What there is, "ONNX Runtime 1.21.0 on CPU and CUDA", as a loan; or why it cannot run here. */
i3d_status onnxruntime_describe(const char **out);

/* As i3d_network_open(). */
i3d_status session_open(const char *path, const i3d_network_options *options, struct session **out);
i3d_network_shape session_shape(const struct session *session);

/* data [count, C, T, H, W] -> logits [count, classes], any count. */
i3d_status session_run(struct session *session, int count, const float *data, float *logits);
void session_close(struct session *session); /* NULL is fine */

#endif
