#include "export/evaluate.h"
#include "export/format.h"

#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "model/graph.h"
#include "model/model.h"

#include <i3d/checkpoint.h>
#include <i3d/network.h>

#include <math.h>

/* Runs the file's own operators. */
static i3d_status run_file(const struct export_format *format, const char *path,
                           const i3d_export_options *options, int channels, const float *clip,
                           size_t classes, float *logits)
{
    i3d_status status;
    uint8_t *file = NULL;
    size_t bytes;
    i3d_weights weights = { 0 };
    struct node_list nodes = { 0 };
    const int64_t shape[4] = { channels, options->frames, options->height, options->width };
    TRY(file_read(path, &file, &bytes));
    TRY(i3d_weights_read(path, &weights));
    TRY(nodes_read(format->schema, (struct bytes){ file, bytes }, &nodes));
    TRY(nodes_evaluate(&nodes, &weights, shape, clip, classes, logits));
out:
    nodes_clear(&nodes);
    i3d_weights_clear(&weights);
    memory_free(file);
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
    float *clip = NULL, *logits = NULL;
    struct random random = random_for(0, RANDOM_TRIAL, 0, 0);
    const struct export_format *format = NULL;
    TRY(export_format_find(path, &format));
    if (!format->schema)
        return failure(I3D_EUNSUPPORTED, "nothing here reads %s files", format->extension);
    TRY(graph_create(model, options->frames, options->height, options->width, &graph));
    size_t floats = value_floats(&graph.values[0]), classes = (size_t)graph.classes;
    TRY(memory_get(floats, sizeof *clip, &clip));
    TRY(memory_get(2 * classes, sizeof *logits, &logits));
    for (size_t i = 0; i < floats; i++)
        clip[i] = (float)(random_unit(&random) * 2 - 1);
    TRY(run(model, options, clip, logits));
    TRY(run_file(format, path, options, model->options.channels, clip, classes, logits + classes));
    TRY(compare(logits, logits + classes, classes, out));
out:
    memory_free(clip);
    memory_free(logits);
    return status;
}
