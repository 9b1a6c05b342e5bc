#include "model/model.h"

#include "base/failure.h"
#include "base/memory.h"
#include "model/build.h"

#include <math.h>
#include <string.h>

void model_reset(i3d_model *model)
{
    for (int p = 0; p < model->graph.param_count; p++) {
        const i3d_param *param = &model->params[p];
        bool one = param->role == I3D_PARAM_GAMMA || param->role == I3D_PARAM_VARIANCE;
        for (size_t i = 0; i < param->count; i++)
            model->data[param->offset + i] = one;
    }
}

i3d_status model_create(const struct unit *units, int count, const i3d_model_options *options,
                        i3d_model **out)
{
    i3d_model *model = NULL;
    i3d_status status;
    *out = NULL;
    TRY(memory_get(1, sizeof *model, &model));
    model->options = *options;
    TRY(memory_get((size_t)count, sizeof *units, &model->units));
    memcpy(model->units, units, (size_t)count * sizeof *units);
    model->unit_count = count;
    TRY(model_build(model));
    TRY(memory_get(model->graph.floats, sizeof *model->data, &model->data));
    model_reset(model);
    *out = model;
    model = NULL;
out:
    i3d_model_free(model);
    return status;
}

i3d_status i3d_model_create(const i3d_model_options *options, i3d_model **out)
{
    *out = NULL;
    if (options->channels < 1 || options->channels > 64)
        return failure(I3D_EINVAL,
                       "a model cannot have %d input channels: give 3 (rgb) or 2 (flow)",
                       options->channels);
    if (options->classes < 1 || options->classes > 1 << 20)
        return failure(I3D_EINVAL, "a model cannot have %d classes: give 1 to %d", options->classes,
                       1 << 20);
    if (options->head != I3D_HEAD_AVG && options->head != I3D_HEAD_MAX)
        return failure(I3D_EINVAL, "a model has no head %d: give avg or max", (int)options->head);
    if (!(options->bn_epsilon > 0) || isinf(options->bn_epsilon))
        return failure(I3D_EINVAL,
                       "a model's BN epsilon cannot be %g: give a small positive number",
                       options->bn_epsilon);
    return model_create(network_units, network_unit_count, options, out);
}

i3d_status model_create_unit(int in_channels, int channels, const int kernel[3],
                             const int stride[3], i3d_model **out)
{
    struct unit unit = { .kind = channels ? UNIT_CONV : UNIT_POOL,
                         .name = "unit",
                         .channels = { channels } };
    memcpy(unit.kernel, kernel, sizeof unit.kernel);
    memcpy(unit.stride, stride, sizeof unit.stride);
    return model_create(&unit, 1,
                        &(i3d_model_options){ .channels = in_channels, .bn_epsilon = 1e-3 }, out);
}

void i3d_model_free(i3d_model *model)
{
    if (!model)
        return;
    memory_free(model->params);
    memory_free(model->param_names);
    memory_free(model->units);
    memory_free(model->data);
    memory_free(model);
}

const i3d_model_options *i3d_model_get_options(const i3d_model *model)
{
    return &model->options;
}

size_t i3d_model_param_count(const i3d_model *model)
{
    return (size_t)model->graph.param_count;
}

const i3d_param *i3d_model_param(const i3d_model *model, size_t index)
{
    return &model->params[index];
}

const i3d_param *i3d_model_find_param(const i3d_model *model, const char *name)
{
    for (int p = 0; p < model->graph.param_count; p++)
        if (strcmp(model->params[p].name, name) == 0)
            return &model->params[p];
    return NULL;
}

float *i3d_model_data(i3d_model *model)
{
    return model->data;
}

const float *i3d_model_values(const i3d_model *model)
{
    return model->data;
}

size_t i3d_model_data_count(const i3d_model *model)
{
    return model->graph.floats;
}
