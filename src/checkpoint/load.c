/* Between weights and a model. */
#include "checkpoint/dialects.h"

#include "base/failure.h"
#include "base/memory.h"
#include "wire/buffer.h"

#include <stdio.h>
#include <string.h>

static i3d_status not_an_i3d(void)
{
    return failure(I3D_EFORMAT, "the weights are not those of an I3D: neither the first "
                                "convolution nor the logits are among their names");
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

/* The sizes of a weight [out, in, kt, kh, kw] of a dialect. */
static void weight_shape(const struct dialect *dialect, const i3d_tensor *tensor, int64_t out[5])
{
    static const int last[5] = { 4, 3, 0, 1, 2 };
    for (int i = 0; i < 5; i++)
        out[i] = tensor->shape[dialect->channels_last ? last[i] : i];
}

i3d_status i3d_weights_describe(const i3d_weights *weights, int *channels, int *classes)
{
    int64_t stem_shape[5], logits_shape[5];
    const struct dialect *dialect = dialect_of(weights);
    if (!dialect)
        return not_an_i3d();
    const i3d_tensor *stem = dialect_find_stem(dialect, weights);
    const i3d_tensor *logits = dialect_find_logits(dialect, weights);
    if (!stem || !logits)
        return failure(I3D_EFORMAT, "the weights lack the %s of an I3D (%s names)",
                       stem ? "logits" : "first convolution", dialect->name);
    if (stem->rank != 5 || logits->rank != 5)
        return failure(I3D_EFORMAT, "'%s' is not a 3-D convolution's weight",
                       stem->rank != 5 ? stem->name : logits->name);
    weight_shape(dialect, stem, stem_shape);
    weight_shape(dialect, logits, logits_shape);
    if (stem_shape[1] < 1 || stem_shape[1] > 64 || logits_shape[0] < 1 || logits_shape[0] > 1 << 20)
        return failure(I3D_EFORMAT, "an I3D of %lld input channels and %lld classes cannot be",
                       (long long)stem_shape[1], (long long)logits_shape[0]);
    *channels = (int)stem_shape[1];
    *classes = (int)logits_shape[0];
    return I3D_OK;
}

/* What a parameter is to be filled from. */
struct entry {
    const i3d_tensor *tensor; /* NULL: nothing that fits */
    bool constant;            /* the dialect has no such parameter: it is one everywhere */
};

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

static void copy(const struct dialect *dialect, const i3d_param *param, const i3d_tensor *tensor,
                 float *out)
{
    if (param->rank == 1 || !dialect->channels_last) {
        i3d_tensor_to_f32(tensor, out);
        return;
    }
    /* [kt, kh, kw, in, out] -> [out, in, kt, kh, kw] */
    size_t outputs = (size_t)param->shape[0], inputs = (size_t)param->shape[1];
    size_t window = param->count / outputs / inputs;
    for (size_t o = 0; o < outputs; o++)
        for (size_t i = 0; i < inputs; i++)
            for (size_t k = 0; k < window; k++)
                *out++ = (float)i3d_tensor_get(tensor, (k * inputs + i) * outputs + o);
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

struct matching {
    const struct dialect *dialect;
    struct entry *entries; /* one a parameter */
    bool *taken;           /* one a tensor */
    struct buffer table;
    i3d_match match;
};

static i3d_status match_params(const i3d_model *model, const i3d_weights *weights,
                               struct matching *matching)
{
    i3d_status status = I3D_OK;
    char name[DIALECT_NAME_BYTES];
    for (size_t p = 0; p < i3d_model_param_count(model); p++) {
        const i3d_param *param = i3d_model_param(model, p);
        struct entry *entry = &matching->entries[p];
        entry->constant = !dialect_param_name(matching->dialect, param, name);
        const i3d_tensor *tensor = entry->constant ? NULL : i3d_weights_find(weights, name);
        if (tensor)
            matching->taken[tensor - weights->tensors] = true;
        if (entry->constant || (tensor && fits(matching->dialect, param, tensor))) {
            entry->tensor = tensor;
            matching->match.loaded++;
        } else if (tensor) {
            matching->match.wrong_shape++;
            TRY(add_line(&matching->table, "wrong shape", param->name, param->rank, param->shape,
                         tensor));
        } else {
            matching->match.missing++;
            TRY(add_line(&matching->table, "missing", param->name, param->rank, param->shape,
                         NULL));
        }
    }
out:
    return status;
}

static i3d_status match_rest(const i3d_weights *weights, struct matching *matching)
{
    i3d_status status = I3D_OK;
    for (size_t i = 0; i < weights->count; i++) {
        const i3d_tensor *tensor = &weights->tensors[i];
        if (matching->taken[i] || dialect_is_state(tensor->name))
            continue;
        matching->match.extra++;
        TRY(add_line(&matching->table, "extra", tensor->name, tensor->rank, tensor->shape, NULL));
    }
    TRY(buffer_add(&matching->table, "", 1));
out:
    return status;
}

static i3d_status refuse(const i3d_model *model, const i3d_weights *weights, const i3d_match *match,
                         const char *table)
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
                   (int)strcspn(table, "\n"), table);
}

static void fill(i3d_model *model, const struct matching *matching)
{
    float *data = i3d_model_data(model);
    for (size_t p = 0; p < i3d_model_param_count(model); p++) {
        const i3d_param *param = i3d_model_param(model, p);
        const struct entry *entry = &matching->entries[p];
        if (entry->tensor)
            copy(matching->dialect, param, entry->tensor, data + param->offset);
        for (size_t i = 0; entry->constant && i < param->count; i++)
            data[param->offset + i] = 1;
    }
}

i3d_status i3d_model_load(i3d_model *model, const i3d_weights *weights, bool partial,
                          i3d_match *match)
{
    struct matching matching = { .dialect = dialect_of(weights) };
    i3d_status status;
    if (match)
        *match = (i3d_match){ 0 };
    if (!matching.dialect)
        return not_an_i3d();
    TRY(memory_get(i3d_model_param_count(model), sizeof *matching.entries, &matching.entries));
    TRY(memory_get(weights->count, sizeof *matching.taken, &matching.taken));
    TRY(match_params(model, weights, &matching));
    TRY(match_rest(weights, &matching));
    const char *table = (const char *)matching.table.data;
    if (!partial && matching.match.missing + matching.match.wrong_shape > 0)
        status = refuse(model, weights, &matching.match, table);
    else
        fill(model, &matching);
    if (match) {
        *match = matching.match;
        match->table = (char *)matching.table.data;
        matching.table = (struct buffer){ 0 };
    }
out:
    memory_free(matching.entries);
    memory_free(matching.taken);
    buffer_clear(&matching.table);
    return status;
}

void i3d_match_clear(i3d_match *match)
{
    memory_free(match->table);
    *match = (i3d_match){ 0 };
}

i3d_status i3d_model_save(const i3d_model *model, i3d_weights *out)
{
    i3d_status status = I3D_OK;
    i3d_tensor *tensor;
    const float *data = i3d_model_data((i3d_model *)model);
    *out = (i3d_weights){ 0 };
    for (size_t p = 0; p < i3d_model_param_count(model); p++) {
        const i3d_param *param = i3d_model_param(model, p);
        TRY(i3d_weights_add(out, param->name, I3D_F32, param->rank, param->shape, &tensor));
        memcpy(tensor->data, data + param->offset, param->count * sizeof *data);
    }
out:
    if (status != I3D_OK)
        i3d_weights_clear(out);
    return status;
}
