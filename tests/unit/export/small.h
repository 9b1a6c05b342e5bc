/* A network of one unit of each kind, with drawn parameters. */
#ifndef TESTS_UNIT_EXPORT_SMALL_H
#define TESTS_UNIT_EXPORT_SMALL_H

#include "test.h"

#include "base/memory.h"
#include "base/random.h"
#include "export/program.h"
#include "checkpoint/dialects.h"
#include "model/model.h"

static const struct unit small_units[] = {
    { UNIT_CONV, "Conv3d_1a_7x7", { 7, 7, 7 }, { 2, 2, 2 }, .channels = { 4 } },
    { UNIT_POOL, "MaxPool3d_2a_3x3", { 1, 3, 3 }, .stride = { 1, 2, 2 } },
    { UNIT_MIXED, "Mixed_3b", .channels = { 3, 2, 5, 2, 4, 6 } },
    { UNIT_HEAD, .name = "logits" },
};
enum { SMALL_UNITS = sizeof small_units / sizeof small_units[0] };

/* What the files call a parameter. */
static inline const char *small_name(const i3d_param *param)
{
    static char name[DIALECT_NAME_BYTES];
    assert_true(naming_param(&naming_mindspore, param, name));
    return name;
}

static inline void small_draw(i3d_model *model)
{
    struct random random = random_for(7, RANDOM_TRIAL, 0, 0);
    for (size_t p = 0; p < i3d_model_param_count(model); p++) {
        const i3d_param *param = &model->params[p];
        bool positive = param->role == I3D_PARAM_GAMMA || param->role == I3D_PARAM_VARIANCE;
        for (size_t i = 0; i < param->count; i++)
            model->data[param->offset + i] =
                (float)(random_unit(&random) * .4 + (positive ? .5 : -.2));
    }
}

static inline i3d_model *small_model(int channels, i3d_head head)
{
    i3d_model_options options = { channels, 3, head, 1e-3 };
    i3d_model *model;
    assert_ok(model_create(small_units, SMALL_UNITS, &options, &model));
    small_draw(model);
    return model;
}

static inline i3d_export_options small_options(void)
{
    i3d_export_options options = i3d_export_defaults();
    options.frames = 9;
    options.height = 17;
    options.width = 20;
    return options;
}

#endif
