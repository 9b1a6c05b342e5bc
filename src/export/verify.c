#include "export/format.h"

#include "base/failure.h"
#include "base/memory.h"
#include "base/random.h"
#include "model/graph.h"
#include "model/model.h"

#include <i3d/checkpoint.h>
#include <i3d/engine.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Makes norms that only add what folding left as a convolution's bias. */
static i3d_status read_folded(const i3d_weights *weights, i3d_model *model)
{
    for (size_t p = 0; p < model->param_count; p++) {
        const i3d_param *weight = &model->params[p];
        if (weight->kind != I3D_PARAM_WEIGHT || weight[1].kind != I3D_PARAM_GAMMA)
            continue;
        char name[128];
        snprintf(name, sizeof name, "%s", weight->name);
        memcpy(strrchr(name, '.'), ".bias", sizeof ".bias");
        const i3d_tensor *bias = i3d_weights_find(weights, name);
        if (!bias || i3d_tensor_count(bias) != weight[2].count)
            return failure(I3D_EFORMAT, "'%s' is missing or of the wrong size", name);
        i3d_tensor_to_f32(bias, model->data + weight[2].offset);
        for (size_t c = 0; c < weight[4].count; c++)
            model->data[weight[4].offset + c] = (float)(1 - model->options.bn_epsilon);
    }
    return I3D_OK;
}

static i3d_status read_back(const char *path, bool folded, i3d_model *model)
{
    i3d_status status;
    i3d_weights weights = { 0 };
    i3d_match match = { 0 };
    TRY(i3d_weights_read(path, &weights));
    TRY(i3d_model_load(model, &weights, folded, &match));
    if (folded)
        TRY(read_folded(&weights, model));
out:
    i3d_match_clear(&match);
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
    TRY(read_back(path, options->fold_bn, copy));
    TRY(run(model, options, clip, logits));
    TRY(run(copy, options, clip, logits + classes));
    TRY(compare(logits, logits + classes, classes, out));
out:
    i3d_model_free(copy);
    memory_free(clip);
    memory_free(logits);
    return status;
}
