#include "model/model.h"

#include "base/failure.h"
#include "base/memory.h"
#include "model/graph.h"

#include <math.h>
#include <string.h>

static const i3d_param_kind conv_kinds[] = { I3D_PARAM_WEIGHT, I3D_PARAM_GAMMA, I3D_PARAM_BETA,
                                             I3D_PARAM_MEAN, I3D_PARAM_VARIANCE };
static const i3d_param_kind head_kinds[] = { I3D_PARAM_WEIGHT, I3D_PARAM_BIAS };

/* How MindSpore's checkpoints name a parameter, behind the operation's name. */
static const char *const suffixes[][6] = {
    [UNIT_CONV] = { [I3D_PARAM_WEIGHT] = ".weight",
                    [I3D_PARAM_GAMMA] = "_bn.bn2d.gamma",
                    [I3D_PARAM_BETA] = "_bn.bn2d.beta",
                    [I3D_PARAM_MEAN] = "_bn.bn2d.moving_mean",
                    [I3D_PARAM_VARIANCE] = "_bn.bn2d.moving_variance" },
    [UNIT_MIXED] = { [I3D_PARAM_WEIGHT] = ".conv3d.weight",
                     [I3D_PARAM_GAMMA] = ".bn.bn2d.gamma",
                     [I3D_PARAM_BETA] = ".bn.bn2d.beta",
                     [I3D_PARAM_MEAN] = ".bn.bn2d.moving_mean",
                     [I3D_PARAM_VARIANCE] = ".bn.bn2d.moving_variance" },
    [UNIT_HEAD] = { [I3D_PARAM_WEIGHT] = "_conv3d.weight", [I3D_PARAM_BIAS] = "_conv3d.bias" },
};

static i3d_status add_param(i3d_model *model, const struct op *op, i3d_param_kind kind)
{
    const struct unit *unit = &model->units[op->unit];
    i3d_param *param = &model->params[model->param_count];
    char *path;
    i3d_status status =
        memory_format(&path, "%s.%s%s", unit->name, op->name, suffixes[unit->kind][kind]);
    if (status != I3D_OK)
        return status;
    int outputs = op->kind == OP_HEAD ? model->options.classes : op->channels;
    *param = (i3d_param){ .name = path + strlen(unit->name) + 1,
                          .path = path,
                          .kind = kind,
                          .rank = 1,
                          .shape = { outputs },
                          .offset = model->data_count,
                          .count = (size_t)outputs };
    if (kind == I3D_PARAM_WEIGHT) {
        param->rank = 5;
        param->shape[1] = op->in_channels;
        param->count *= (size_t)op->in_channels;
        for (int d = 0; d < 3; d++) {
            param->shape[2 + d] = op->kind == OP_HEAD ? 1 : op->kernel[d];
            param->count *= (size_t)param->shape[2 + d];
        }
    }
    model->data_count += param->count;
    model->param_count++;
    return I3D_OK;
}

/* The parameters are those of the operations in their order; any clip unrolls to the same ones. */
static i3d_status add_params(i3d_model *model)
{
    struct graph graph;
    i3d_status status;
    TRY(graph_create(model, 1024, 1024, 1024, &graph));
    TRY(memory_get(GRAPH_OPS_MAX * 5, sizeof *model->params, &model->params));
    for (int i = 0; i < graph.op_count; i++) {
        const struct op *op = &graph.ops[i];
        const i3d_param_kind *kinds = op->kind == OP_HEAD ? head_kinds : conv_kinds;
        int count = op->kind == OP_CONV ? 5 : op->kind == OP_HEAD ? 2 : 0;
        for (int k = 0; k < count; k++)
            TRY(add_param(model, op, kinds[k]));
    }
out:
    return status;
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
    TRY(add_params(model));
    TRY(memory_get(model->data_count, sizeof *model->data, &model->data));
    for (size_t p = 0; p < model->param_count; p++) {
        const i3d_param *param = &model->params[p];
        bool one = param->kind == I3D_PARAM_GAMMA || param->kind == I3D_PARAM_VARIANCE;
        for (size_t i = 0; one && i < param->count; i++)
            model->data[param->offset + i] = 1;
    }
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
    for (size_t p = 0; p < model->param_count; p++)
        memory_free((void *)model->params[p].path);
    memory_free(model->params);
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
    return model->param_count;
}

const i3d_param *i3d_model_param(const i3d_model *model, size_t index)
{
    return &model->params[index];
}

const i3d_param *i3d_model_find_param(const i3d_model *model, const char *name)
{
    for (size_t p = 0; p < model->param_count; p++)
        if (strcmp(model->params[p].name, name) == 0)
            return &model->params[p];
    return NULL;
}

float *i3d_model_data(i3d_model *model)
{
    return model->data;
}

size_t i3d_model_data_count(const i3d_model *model)
{
    return model->data_count;
}
