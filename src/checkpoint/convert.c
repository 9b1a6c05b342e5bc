/* Weights under the names, and in the layout, that a format's own programs use. */
#include "checkpoint/format.h"
#include "checkpoint/match.h"

#include "base/failure.h"
#include "base/memory.h"

#include <string.h>

static i3d_status copy_tensor(const i3d_tensor *tensor, i3d_weights *out)
{
    struct bytes data = { tensor->data, tensor_bytes(tensor) };
    return weights_add_data(out, tensor->name, tensor->dtype, tensor->rank, tensor->shape, data);
}

/* Adds the parameters that were found. Every dialect that is written has our layout. */
static i3d_status add_params(const i3d_model *model, const struct matching *matching,
                             const struct dialect *dialect, i3d_weights *out)
{
    char name[DIALECT_NAME_BYTES];
    const struct naming naming = { .dialect = dialect };
    i3d_tensor *tensor;
    i3d_status status = I3D_OK;
    for (size_t p = 0; p < i3d_model_param_count(model); p++) {
        const i3d_param *param = i3d_model_param(model, p);
        const struct matched_param *matched = &matching->params[p];
        if (!(matched->tensor || matched->constant) || !naming_param(&naming, param, name))
            continue;
        TRY(i3d_weights_add(out, name, I3D_F32, param->rank, param->shape, &tensor));
        matching_copy(matching, model, p, tensor->data);
    }
out:
    return status;
}

static i3d_status convert(const i3d_model *model, const i3d_weights *weights,
                          const struct format *format, struct matching *matching, bool strict,
                          i3d_weights *out)
{
    const i3d_match *match = &matching->match;
    i3d_status status;
    TRY(match_weights(model, weights, matching));
    if (strict && match->missing + match->wrong_shape + match->extra > 0)
        return failure(I3D_EFORMAT,
                       "%zu parameters are missing, %zu of the wrong shape and %zu tensors are "
                       "none: %.*s",
                       match->missing, match->wrong_shape, match->extra,
                       (int)strcspn(match->table, "\n"), match->table);
    TRY(add_params(model, matching, &dialects[format->dialect], out));
    for (size_t i = 0; i < weights->count && format->dialect == DIALECT_MINDSPORE; i++)
        if (!matching->owners[i])
            TRY(copy_tensor(&weights->tensors[i], out));
out:
    return status;
}

i3d_status i3d_weights_convert(const i3d_weights *weights, const char *path, bool strict,
                               i3d_weights *out, i3d_match *match)
{
    i3d_model_options options = { .bn_epsilon = 1e-3 };
    struct matching matching = { 0 };
    const struct format *format;
    i3d_model *model = NULL;
    i3d_status status;
    *out = (i3d_weights){ 0 };
    if (match)
        *match = (i3d_match){ 0 };
    TRY(format_find(path, &format));
    if (!i3d_weights_dialect(weights)) {
        for (size_t i = 0; i < weights->count; i++)
            TRY(copy_tensor(&weights->tensors[i], out));
        goto out;
    }
    TRY(i3d_weights_describe(weights, &options.channels, &options.classes));
    const i3d_tensor *epsilon = i3d_weights_find(weights, "i3d.bn_epsilon");
    if (epsilon && i3d_tensor_count(epsilon) == 1)
        options.bn_epsilon = i3d_tensor_get(epsilon, 0); /* for norms that were folded */
    TRY(i3d_model_create(&options, &model));
    TRY(convert(model, weights, format, &matching, strict, out));
    if (match) {
        *match = matching.match;
        matching.match = (i3d_match){ 0 };
    }
out:
    matching_clear(&matching);
    i3d_model_free(model);
    if (status != I3D_OK)
        i3d_weights_clear(out);
    return status;
}
