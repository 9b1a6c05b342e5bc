/* Inside a session: a graph that ONNX Runtime has loaded, and what it takes and gives. */
#ifndef I3D_NETWORK_ONNXRUNTIME_SESSION_H
#define I3D_NETWORK_ONNXRUNTIME_SESSION_H

#include "network/onnxruntime/library.h"
#include "network/onnxruntime/onnxruntime.h"

enum { AXES = 5, AXES_MOST = 8 };

struct session {
    const struct library *library;
    OrtSession *handle;
    OrtMemoryInfo *memory;
    char *input, *output; /* their names, the library's */
    int64_t axes[AXES];   /* of the input: N, 0 where it is open; C, T, H, W as they will be */
    int classes;          /* 0: the graph does not tell before it runs */
    size_t clip;          /* floats */
    float *filled;        /* [N, clip]: a batch filled up with zeros */
};

/* Fills in the names, axes, classes and clip; I3D_EFORMAT if the graph is no I3D's,
 * I3D_EINVAL if it is not of the form that `options` ask for. */
i3d_status session_read(struct session *session, const i3d_network_options *options);

/* The axes of a tensor of the library, which must be float32 with AXES_MOST at most; `what` names
 * it.
 */
i3d_status session_axes(const struct session *session, const OrtTensorTypeAndShapeInfo *info,
                        const char *what, int64_t axes[AXES_MOST], size_t *rank);

/* Logits are [N, classes] or, not averaged over time, [N, classes, T']. */
i3d_status session_check_logits(const int64_t axes[AXES_MOST], size_t rank);

#endif
