/* Between weights and a model. */
#include "checkpoint/match.h"

#include "base/failure.h"

#include <string.h>

i3d_status i3d_weights_describe(const i3d_weights *weights, int *channels, int *classes)
{
    int64_t stem_shape[5], logits_shape[5];
    struct naming naming;
    i3d_status status = naming_of(weights, &naming);
    if (status != I3D_OK)
        return status;
    const i3d_tensor *stem = naming_stem(&naming, weights);
    const i3d_tensor *logits = naming_logits(&naming, weights);
    if (!stem || !logits)
        return failure(I3D_EFORMAT, "the weights lack the %s of an I3D (%s names)",
                       stem ? "logits" : "first convolution", naming.dialect->name);
    if (stem->rank != 5 || logits->rank != 5)
        return failure(I3D_EFORMAT, "'%s' is not a 3-D convolution's weight",
                       stem->rank != 5 ? stem->name : logits->name);
    weight_shape(naming.dialect, stem, stem_shape);
    weight_shape(naming.dialect, logits, logits_shape);
    if (stem_shape[1] < 1 || stem_shape[1] > 64 || logits_shape[0] < 1 || logits_shape[0] > 1 << 20)
        return failure(I3D_EFORMAT, "an I3D of %lld input channels and %lld classes cannot be",
                       (long long)stem_shape[1], (long long)logits_shape[0]);
    *channels = (int)stem_shape[1];
    *classes = (int)logits_shape[0];
    return I3D_OK;
}

const char *i3d_weights_dialect(const i3d_weights *weights)
{
    struct naming naming;
    return naming_of(weights, &naming) == I3D_OK ? naming.dialect->name : NULL;
}

static i3d_status refuse(const i3d_model *model, const i3d_weights *weights, const i3d_match *match)
{
    int channels, classes;
    const i3d_model_options *options = i3d_model_get_options(model);
    if (i3d_weights_describe(weights, &channels, &classes) == I3D_OK &&
        (channels != options->channels || classes != options->classes))
        return failure(I3D_EFORMAT,
                       "the weights are of %d input channels and %d classes, the network of %d and "
                       "%d: choose other weights, or begin a fine-tuning from them",
                       channels, classes, options->channels, options->classes);
    return failure(I3D_EFORMAT,
                   "of the network's %zu parameters %zu are missing in the weights and %zu of "
                   "another shape: %.*s",
                   i3d_model_param_count(model), match->missing, match->wrong_shape,
                   (int)strcspn(match->table, "\n"), match->table);
}

i3d_status i3d_model_load(i3d_model *model, const i3d_weights *weights, bool partial,
                          i3d_match *match)
{
    struct matching matching;
    i3d_status status;
    if (match)
        *match = (i3d_match){ 0 };
    TRY(match_weights(model, weights, &matching));
    if (!partial && matching.match.missing + matching.match.wrong_shape > 0)
        status = refuse(model, weights, &matching.match);
    for (size_t p = 0; status == I3D_OK && p < i3d_model_param_count(model); p++)
        matching_copy(&matching, model, p,
                      i3d_model_data(model) + i3d_model_param(model, p)->offset);
    if (match) {
        *match = matching.match;
        matching.match = (i3d_match){ 0 };
    }
out:
    matching_clear(&matching);
    return status;
}

i3d_status i3d_model_save(const i3d_model *model, i3d_weights *out)
{
    i3d_status status = I3D_OK;
    i3d_tensor *tensor;
    char name[DIALECT_NAME_BYTES];
    const float *data = i3d_model_values(model);
    *out = (i3d_weights){ 0 };
    for (size_t p = 0; p < i3d_model_param_count(model); p++) {
        const i3d_param *param = i3d_model_param(model, p);
        naming_param(&naming_mindspore, param, name);
        TRY(i3d_weights_add(out, name, I3D_F32, param->rank, param->shape, &tensor));
        memcpy(tensor->data, data + param->offset, param->count * sizeof *data);
    }
out:
    if (status != I3D_OK)
        i3d_weights_clear(out);
    return status;
}
