/* A build without ONNX Runtime's headers. */
#include "network/onnxruntime/onnxruntime.h"

#include "base/failure.h"

static i3d_status refuse(void)
{
    return failure(I3D_EUNSUPPORTED,
                   "this program was built without ONNX Runtime: install libonnxruntime-dev, on "
                   "Debian 12 run scripts/install_onnxruntime.sh, and build again");
}

i3d_status onnxruntime_describe(const char **out)
{
    *out = NULL;
    return refuse();
}

i3d_status session_open(const char *path, const i3d_network_options *options, struct session **out)
{
    (void)path;
    (void)options;
    *out = NULL;
    return refuse();
}

i3d_network_shape session_shape(const struct session *session)
{
    (void)session;
    return (i3d_network_shape){ 0 };
}

i3d_status session_run(struct session *session, int count, const float *data, float *logits)
{
    (void)session;
    (void)count;
    (void)data;
    (void)logits;
    return refuse();
}

void session_close(struct session *session)
{
    (void)session;
}
