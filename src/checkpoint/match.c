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

/* The parameter of another role beside `param`. */
static const i3d_param *find_beside(const i3d_model *model, const i3d_param *param,
                                    i3d_param_role role)
{
    size_t stem = strcspn(param->name, ".") + 1;
    for (size_t p = 0; p < i3d_model_param_count(model); p++) {
        const i3d_param *other = i3d_model_param(model, p);
        if (other->role == role && strncmp(other->name, param->name, stem) == 0)
            return other;
    }
    return NULL;
}

/* The tensor of a parameter under the file's name for it, or NULL. */
static const i3d_tensor *find_tensor(const struct matching *matching, const i3d_weights *weights,
                                     const i3d_param *param)
{
    char name[DIALECT_NAME_BYTES];
    return naming_param(&matching->naming, param, name) ? i3d_weights_find(weights, name) : NULL;
}

/* The bias that is left of a norm which was folded into its weight, or NULL: the norm is there. */
static const i3d_tensor *find_folded(const i3d_model *model, const i3d_weights *weights,
                                     const struct matching *matching, const i3d_param *param)
{
    char name[DIALECT_NAME_BYTES];
    const i3d_param *weight = find_beside(model, param, I3D_PARAM_WEIGHT);
    const i3d_param *gamma = find_beside(model, param, I3D_PARAM_GAMMA);
    const i3d_param *beta = find_beside(model, param, I3D_PARAM_BETA);
    if (!gamma || find_tensor(matching, weights, gamma))
        return NULL;
    const i3d_tensor *tensor = find_tensor(matching, weights, weight);
    if (!tensor || !fits(matching->naming.dialect, weight, tensor))
        return NULL;
    size_t stem = strlen(tensor->name);
    stem -= stem > 7 && strcmp(tensor->name + stem - 7, ".weight") == 0 ? 7 : 0;
    snprintf(name, sizeof name, "%.*s.bias", (int)stem, tensor->name);
    const i3d_tensor *bias = i3d_weights_find(weights, name);
    return bias && fits(matching->naming.dialect, beta, bias) ? bias : NULL;
}

static struct matched_param constant(double value)
{
    return (struct matched_param){ .constant = true, .value = (float)value };
}

/* Of a folded norm only a bias is left: a norm that adds it and does no more stands for it. */
static struct matched_param match_folded(const i3d_model *model, i3d_param_role role,
                                         const i3d_tensor *bias)
{
    if (role == I3D_PARAM_BETA)
        return (struct matched_param){ .tensor = bias };
    if (role == I3D_PARAM_VARIANCE)
        return constant(1 - i3d_model_get_options(model)->bn_epsilon);
    return constant(role == I3D_PARAM_GAMMA ? 1 : 0);
}

static i3d_status match_param(const i3d_model *model, const i3d_weights *weights, size_t p,
                              struct matching *matching, struct buffer *table)
{
    const i3d_param *param = i3d_model_param(model, p);
    struct matched_param *matched = &matching->params[p];
    char name[DIALECT_NAME_BYTES];
    bool named = naming_param(&matching->naming, param, name);
    const i3d_tensor *tensor = named ? i3d_weights_find(weights, name) : NULL;
    const i3d_tensor *folded =
        param->role == I3D_PARAM_WEIGHT ? NULL : find_folded(model, weights, matching, param);
    if (folded)
        *matched = match_folded(model, param->role, folded);
    else if (!named)
        *matched = constant(1); /* norms that do not scale */
    else if (tensor && fits(matching->naming.dialect, param, tensor))
        *matched = (struct matched_param){ .tensor = tensor };
    if (matched->tensor || tensor)
        matching->owners[(matched->tensor ? matched->tensor : tensor) - weights->tensors] = param;
    if (matched->tensor || matched->constant) {
        matching->match.loaded++;
        return I3D_OK;
    }
    *(tensor ? &matching->match.wrong_shape : &matching->match.missing) += 1;
    return add_line(table, tensor ? "wrong shape" : "missing", name, param->rank, param->shape,
                    tensor);
}

static i3d_status match_params(const i3d_model *model, const i3d_weights *weights,
                               struct matching *matching, struct buffer *table)
{
    i3d_status status = I3D_OK;
    for (size_t p = 0; p < i3d_model_param_count(model); p++)
        TRY(match_param(model, weights, p, matching, table));
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
