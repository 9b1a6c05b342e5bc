#include "checkpoint/match.h"

#include "base/failure.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

void weight_shape(const struct dialect *dialect, const i3d_tensor *tensor, int64_t out[5])
{
    static const int last[5] = { 4, 3, 0, 1, 2 };
    for (int i = 0; i < 5; i++)
        out[i] = tensor->shape[dialect->channels_last ? last[i] : i];
}

static bool fits(const struct dialect *dialect, const i3d_param *param, const i3d_tensor *tensor)
{
    int64_t shape[5];
    if (param->rank == 1) {
        /* DeepMind's norms are [1, 1, 1, 1, C]. */
        int64_t last = tensor->rank ? tensor->shape[tensor->rank - 1] : 0;
        return last == param->shape[0] && i3d_tensor_count(tensor) == param->count;
    }
    if (tensor->rank != param->rank)
        return false;
    weight_shape(dialect, tensor, shape);
    return memcmp(shape, param->shape, sizeof shape) == 0;
}

/* [kt, kh, kw, in, out] becomes [out, in, kt, kh, kw]. */
static void copy(const struct dialect *dialect, const i3d_param *param, const i3d_tensor *tensor,
                 float *out)
{
    if (param->rank == 1 || !dialect->channels_last) {
        i3d_tensor_to_f32(tensor, out);
        return;
    }
    size_t outputs = (size_t)param->shape[0], inputs = (size_t)param->shape[1];
    size_t window = param->count / outputs / inputs;
    for (size_t o = 0; o < outputs; o++)
        for (size_t i = 0; i < inputs; i++)
            for (size_t k = 0; k < window; k++)
                *out++ = (float)i3d_tensor_get(tensor, (k * inputs + i) * outputs + o);
}

enum { SHAPE_BYTES = 200 };

/* "[64, 3, 7, 7, 7]" */
static void shape_text(int rank, const int64_t *shape, char out[SHAPE_BYTES])
{
    size_t length = 1;
    out[0] = '[';
    for (int i = 0; i < rank; i++)
        length += (size_t)snprintf(out + length, SHAPE_BYTES - length, i ? ", %lld" : "%lld",
                                   (long long)shape[i]);
    out[length++] = ']';
    out[length] = 0;
}

/* "missing      Mixed_3b_b0.conv3d.weight [64, 192, 1, 1, 1]"; `is`: the shape it has instead. */
static i3d_status add_line(struct buffer *table, const char *what, const char *name, int rank,
                           const int64_t *shape, const i3d_tensor *is)
{
    char wanted[SHAPE_BYTES], found[SHAPE_BYTES];
    shape_text(rank, shape, wanted);
    if (!is)
        return buffer_text(table, "%-12s %s %s\n", what, name, wanted);
    shape_text(is->rank, is->shape, found);
    return buffer_text(table, "%-12s %s %s, but the file has %s\n", what, name, wanted, found);
}

/* Of a folded norm only a bias is left, beside the weight `p`: norms that add it and do no more
 * stand for it. False if the norm is not folded. */
static bool match_folded(const i3d_model *model, const i3d_weights *weights, size_t p,
                         struct matching *matching)
{
    char name[DIALECT_NAME_BYTES];
    const i3d_param *param = i3d_model_param(model, p);
    const i3d_tensor *weight = matching->params[p].tensor;
    if (!weight || param[1].kind != I3D_PARAM_GAMMA ||
        (naming_param(&matching->naming, &param[1], name) && i3d_weights_find(weights, name)))
        return false;
    size_t stem = strlen(weight->name);
    stem -= stem > 7 && strcmp(weight->name + stem - 7, ".weight") == 0 ? 7 : 0;
    snprintf(name, sizeof name, "%.*s.bias", (int)stem, weight->name);
    const i3d_tensor *bias = i3d_weights_find(weights, name);
    if (!bias || !fits(matching->naming.dialect, &param[2], bias))
        return false;
    double epsilon = i3d_model_get_options(model)->bn_epsilon;
    struct matched_param *norm = &matching->params[p + 1]; /* gamma, beta, mean, variance */
    norm[0] = (struct matched_param){ .constant = true, .value = 1 };
    norm[1] = (struct matched_param){ .tensor = bias };
    norm[2] = (struct matched_param){ .constant = true, .value = 0 };
    norm[3] = (struct matched_param){ .constant = true, .value = (float)(1 - epsilon) };
    matching->owners[bias - weights->tensors] = &param[2];
    matching->match.loaded += 4;
    return true;
}

static i3d_status match_params(const i3d_model *model, const i3d_weights *weights,
                               struct matching *matching, struct buffer *table)
{
    i3d_status status = I3D_OK;
    char name[DIALECT_NAME_BYTES];
    for (size_t p = 0; p < i3d_model_param_count(model); p++) {
        const i3d_param *param = i3d_model_param(model, p);
        struct matched_param *matched = &matching->params[p];
        if (!naming_param(&matching->naming, param, name))
            *matched = (struct matched_param){ .constant = true, .value = 1 };
        const i3d_tensor *tensor = matched->constant ? NULL : i3d_weights_find(weights, name);
        if (tensor)
            matching->owners[tensor - weights->tensors] = param;
        if (matched->constant || (tensor && fits(matching->naming.dialect, param, tensor))) {
            matched->tensor = tensor;
            matching->match.loaded++;
            if (match_folded(model, weights, p, matching))
                p += 4;
        } else if (tensor) {
            matching->match.wrong_shape++;
            TRY(add_line(table, "wrong shape", param->name, param->rank, param->shape, tensor));
        } else {
            matching->match.missing++;
            TRY(add_line(table, "missing", param->name, param->rank, param->shape, NULL));
        }
    }
out:
    return status;
}

static i3d_status match_rest(const i3d_weights *weights, struct matching *matching,
                             struct buffer *table)
{
    i3d_status status = I3D_OK;
    for (size_t i = 0; i < weights->count; i++) {
        const i3d_tensor *tensor = &weights->tensors[i];
        if (matching->owners[i])
            continue;
        if (name_is_state(tensor->name)) {
            matching->match.state++;
            continue;
        }
        matching->match.extra++;
        TRY(add_line(table, "extra", tensor->name, tensor->rank, tensor->shape, NULL));
    }
    TRY(buffer_add(table, "", 1));
out:
    return status;
}

i3d_status match_weights(const i3d_model *model, const i3d_weights *weights, struct matching *out)
{
    struct buffer table = { 0 };
    i3d_status status;
    *out = (struct matching){ 0 };
    TRY(naming_of(weights, &out->naming));
    TRY(memory_get(i3d_model_param_count(model), sizeof *out->params, &out->params));
    TRY(memory_get(weights->count, sizeof *out->owners, &out->owners));
    TRY(match_params(model, weights, out, &table));
    TRY(match_rest(weights, out, &table));
    out->match.table = (char *)table.data;
    table = (struct buffer){ 0 };
out:
    buffer_clear(&table);
    if (status != I3D_OK)
        matching_clear(out);
    return status;
}

void matching_clear(struct matching *matching)
{
    memory_free(matching->params);
    memory_free(matching->owners);
    i3d_match_clear(&matching->match);
    *matching = (struct matching){ 0 };
}

bool matching_copy(const struct matching *matching, const i3d_model *model, size_t param,
                   float *out)
{
    const i3d_param *about = i3d_model_param(model, param);
    const struct matched_param *matched = &matching->params[param];
    if (matched->tensor)
        copy(matching->naming.dialect, about, matched->tensor, out);
    for (size_t i = 0; matched->constant && i < about->count; i++)
        out[i] = matched->value;
    return matched->tensor || matched->constant;
}

void i3d_match_clear(i3d_match *match)
{
    memory_free(match->table);
    *match = (i3d_match){ 0 };
}
