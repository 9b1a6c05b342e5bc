#include "export/format.h"

#include "base/failure.h"
#include "base/memory.h"
#include "base/random.h"
#include "model/graph.h"
#include "model/model.h"

#include <i3d/checkpoint.h>
#include <i3d/engine.h>

#include <math.h>

static i3d_status read_back(const char *path, i3d_model *model)
{
    i3d_status status;
    i3d_weights weights = { 0 };
    TRY(i3d_weights_read(path, &weights));
    TRY(i3d_model_load(model, &weights, false, NULL));
out:
    i3d_weights_clear(&weights);
    return status;
}

static i3d_status run(const i3d_model *model, const i3d_export_options *options, const float *clip,
                      float *logits)
{
    i3d_network_options network_options = {
        .batch = 1, .frames = options->frames, .height = options->height, .width = options->width
    };
    i3d_network *network;
    i3d_status status = i3d_network_create(model, &network_options, &network);
    if (status == I3D_OK)
        status = i3d_network_run(network, 1, clip, logits);
    i3d_network_free(network);
    return status;
}

static i3d_status compare(const float *a, const float *b, size_t count, double *out)
{
    *out = 0;
    for (size_t i = 0; i < count; i++) {
        double difference = fabs((double)a[i] - b[i]);
        if (!isfinite(difference))
            return failure(I3D_EFORMAT, "the logits of a random clip are not finite");
        *out = fmax(*out, difference);
    }
    return I3D_OK;
}

i3d_status i3d_export_verify(const i3d_model *model, const i3d_export_options *options,
                             const char *path, double *out)
{
    i3d_status status;
    struct graph graph;
    i3d_model *copy = NULL;
    float *clip = NULL, *logits = NULL;
    struct random random = random_for(0, 0, 0);
    const struct format *format = NULL;
    TRY(format_find(path, &format));
    if (!format->readable)
        return failure(I3D_EUNSUPPORTED, "nothing here reads %s files", format->extension);
    TRY(graph_create(model, options->frames, options->height, options->width, &graph));
    size_t floats = value_floats(&graph.values[0]), classes = (size_t)graph.classes;
    TRY(memory_get(floats, sizeof *clip, &clip));
    TRY(memory_get(2 * classes, sizeof *logits, &logits));
    for (size_t i = 0; i < floats; i++)
        clip[i] = (float)(random_unit(&random) * 2 - 1);
    TRY(i3d_model_create(&model->options, &copy));
    TRY(read_back(path, copy));
    TRY(run(model, options, clip, logits));
    TRY(run(copy, options, clip, logits + classes));
    TRY(compare(logits, logits + classes, classes, out));
out:
    i3d_model_free(copy);
    memory_free(clip);
    memory_free(logits);
    return status;
}
