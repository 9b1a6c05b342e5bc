/* How a network is to be run, as scalars beside its weights: a checkpoint is enough to use it. */
#include <i3d/eval.h>

#include "base/failure.h"
#include "base/memory.h"
#include "eval/recipe.h"

#include <math.h>
#include <string.h>

static const char labels_name[] = "i3d.labels"; /* bytes: the classes' names, a line each */

/* The numbers of a recipe, and what each may be. */
enum { FIELD_COUNT = 6 };
static const struct {
    const char *name;
    double least, most;
} fields[FIELD_COUNT] = {
    { "i3d.head", I3D_HEAD_AVG, I3D_HEAD_MAX },
    { "i3d.bn_epsilon", 1e-12, 1 },
    { "i3d.frames", 1, 1 << 16 },
    { "i3d.size", 1, 1 << 16 },
    { "i3d.resize", 0, 1 << 16 },
    { "i3d.bgr", 0, 1 },
};

i3d_recipe i3d_recipe_unknown(void)
{
    return (i3d_recipe){ -1, -1, -1, -1, -1, -1 };
}

static void to_values(const i3d_recipe *recipe, double values[FIELD_COUNT])
{
    values[0] = recipe->head;
    values[1] = recipe->bn_epsilon;
    values[2] = recipe->frames;
    values[3] = recipe->size;
    values[4] = recipe->resize;
    values[5] = recipe->bgr;
}

static i3d_recipe from_values(const double values[FIELD_COUNT])
{
    return (i3d_recipe){ .head = (int)values[0],
                         .bn_epsilon = values[1],
                         .frames = (int)values[2],
                         .size = (int)values[3],
                         .resize = (int)values[4],
                         .bgr = (int)values[5] };
}

i3d_status scalar_add(i3d_weights *weights, const char *name, double value)
{
    i3d_tensor *tensor;
    i3d_status status = i3d_weights_add(weights, name, I3D_F64, 0, NULL, &tensor);
    if (status == I3D_OK)
        *(double *)tensor->data = value;
    return status;
}

bool scalar_read(const i3d_weights *weights, const char *name, double *out)
{
    const i3d_tensor *tensor = i3d_weights_find(weights, name);
    if (!tensor || i3d_tensor_count(tensor) != 1)
        return false;
    *out = i3d_tensor_get(tensor, 0);
    return true;
}

i3d_status i3d_recipe_read(const i3d_weights *weights, i3d_recipe *out)
{
    double values[FIELD_COUNT];
    *out = i3d_recipe_unknown();
    to_values(out, values);
    for (int f = 0; f < FIELD_COUNT; f++)
        if (scalar_read(weights, fields[f].name, &values[f]) &&
            !(values[f] >= fields[f].least && values[f] <= fields[f].most))
            return failure(I3D_EFORMAT, "the checkpoint records %s = %g, which is not %g to %g",
                           fields[f].name, values[f], fields[f].least, fields[f].most);
    *out = from_values(values);
    return I3D_OK;
}

i3d_recipe recipe_over(const i3d_recipe *first, const i3d_recipe *second)
{
    double values[FIELD_COUNT], others[FIELD_COUNT];
    to_values(first, values);
    to_values(second, others);
    for (int f = 0; f < FIELD_COUNT; f++)
        if (values[f] < 0)
            values[f] = others[f];
    return from_values(values);
}

i3d_recipe recipe_complete(const i3d_recipe *recipe)
{
    int size = recipe->size < 0 ? 224 : recipe->size;
    const i3d_recipe defaults = { .head = I3D_HEAD_AVG,
                                  .bn_epsilon = 1e-3,
                                  .frames = 64,
                                  .size = size,
                                  .resize = size * 8 / 7,
                                  .bgr = 0 };
    return recipe_over(recipe, &defaults);
}

static i3d_status add_names(i3d_weights *weights, const char *const *names, int classes)
{
    int64_t bytes = 0;
    i3d_tensor *tensor;
    for (int c = 0; c < classes; c++)
        bytes += (int64_t)strlen(names[c]) + 1;
    i3d_status status = i3d_weights_add(weights, labels_name, I3D_U8, 1, &bytes, &tensor);
    if (status != I3D_OK)
        return status;
    char *at = tensor->data;
    for (int c = 0; c < classes; c++) {
        size_t length = strlen(names[c]);
        memcpy(at, names[c], length);
        at[length] = '\n';
        at += length + 1;
    }
    return I3D_OK;
}

i3d_status i3d_recipe_add(i3d_weights *weights, const i3d_recipe *recipe, const char *const *names,
                          int classes)
{
    i3d_status status = I3D_OK;
    double values[FIELD_COUNT];
    to_values(recipe, values);
    for (int f = 0; f < FIELD_COUNT; f++)
        if (values[f] >= 0)
            TRY(scalar_add(weights, fields[f].name, values[f]));
    if (names)
        TRY(add_names(weights, names, classes));
out:
    return status;
}

i3d_status recipe_names(const i3d_weights *weights, struct names *out)
{
    i3d_status status = I3D_OK;
    char *text = NULL;
    const i3d_tensor *tensor = i3d_weights_find(weights, labels_name);
    *out = (struct names){ 0 };
    if (!tensor || tensor->dtype != I3D_U8)
        return I3D_OK;
    size_t bytes = i3d_tensor_count(tensor);
    TRY(memory_get(bytes + 1, 1, &text));
    memcpy(text, tensor->data, bytes);
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        TRY(names_add(out, line));
    }
out:
    memory_free(text);
    if (status != I3D_OK)
        names_clear(out);
    return status;
}
