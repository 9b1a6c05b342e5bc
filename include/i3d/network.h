/* A network that runs: a model planned by an engine, or a graph of an .onnx file that ONNX Runtime
 * runs. */
#ifndef I3D_NETWORK_H
#define I3D_NETWORK_H

#include <i3d/engine.h>
#include <i3d/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What runs clips to logits. One thread at a time. */
typedef struct i3d_network i3d_network;

typedef struct i3d_network_options {
    const char *engine; /* NULL or "auto": the fastest that works here */
    i3d_precision precision;
    int batch;                 /* the most clips a run may bring */
    int frames, height, width; /* T, H, W of a clip */
    int threads;               /* 0: one a core */
} i3d_network_options;

/* For inference. The model must outlive the network. */
I3D_API i3d_status i3d_network_create(const i3d_model *model, const i3d_network_options *options,
                                      i3d_network **out);

/* A network that stands in an .onnx file as a graph, whoever wrote it, run as it is by ONNX
 * Runtime. The engine is "onnxruntime" (NULL, "auto": on CUDA where that works, else on the CPU),
 * "onnxruntime-cpu" or "onnxruntime-cuda". The first input is clips, float32 [N, C, T, H, W], the
 * first output logits [N, classes] or, averaged over T here, [N, classes, T]. A graph of a fixed N
 * runs so many clips at a time, filled up with zeros. Frames, height and width of 0: as the graph
 * has them, else 64 x 224 x 224. I3D_EFORMAT for a graph that is none of an
 * I3D, I3D_EINVAL for one of other clips than asked for, I3D_EUNSUPPORTED without the library. */
I3D_API i3d_status i3d_network_open(const char *path, const i3d_network_options *options,
                                    i3d_network **out);

typedef struct i3d_network_shape {
    int channels, classes;
    int frames, height, width;
} i3d_network_shape;
I3D_API i3d_network_shape i3d_network_get_shape(const i3d_network *network);

/* data [count, C, T, H, W] -> logits [count, classes]. Logits that are not finite are I3D_EFORMAT,
 * and the sentence names the first layer that gives such a number. */
I3D_API i3d_status i3d_network_run(i3d_network *network, int count, const float *data,
                                   float *logits);
/* Where the time of a run goes. */
typedef struct i3d_layer_time {
    char name[32];
    char kernel[48]; /* what did the work */
    double seconds;
    double flops; /* of `count` clips; a multiply-add of a direct convolution is 2 */
} i3d_layer_time;
enum { I3D_LAYERS_MAX = 96 };

/* As i3d_network_run(), with a clock around each layer: `layers` [I3D_LAYERS_MAX] in the order they
 * run, `*layer_count` of them. I3D_EUNSUPPORTED where what runs the network does not tell. */
I3D_API i3d_status i3d_network_profile(i3d_network *network, int count, const float *data,
                                       float *logits, i3d_layer_time *layers, int *layer_count);
I3D_API const char *i3d_network_engine(const i3d_network *network); /* its name */
I3D_API size_t i3d_network_memory(const i3d_network *network); /* bytes that its plan holds; 0: it
                                                                   does not tell */
I3D_API void i3d_network_free(i3d_network *network);

#ifdef __cplusplus
}
#endif
#endif
