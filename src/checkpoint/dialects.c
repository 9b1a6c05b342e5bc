#include "checkpoint/dialects.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* By i3d_param_kind: weight, bias, gamma, beta, mean, variance. */
const struct dialect dialects[] = {
    { .name = "MindSpore",
      .branches = { "_b0", "_b1a", "_b1b", "_b2a", "_b2b", "_b3b" },
      .unit = { ".weight", NULL, "_bn.bn2d.gamma", "_bn.bn2d.beta", "_bn.bn2d.moving_mean",
                "_bn.bn2d.moving_variance" },
      .mixed = { ".conv3d.weight", NULL, ".bn.bn2d.gamma", ".bn.bn2d.beta", ".bn.bn2d.moving_mean",
                 ".bn.bn2d.moving_variance" },
      .logits = { "logits_conv3d.weight", "logits_conv3d.bias" } },
    /* The same with replaced logits, which MindSpore names by their place. */
    { .name = "MindSpore, fine-tuned",
      .branches = { "_b0", "_b1a", "_b1b", "_b2a", "_b2b", "_b3b" },
      .unit = { ".weight", NULL, "_bn.bn2d.gamma", "_bn.bn2d.beta", "_bn.bn2d.moving_mean",
                "_bn.bn2d.moving_variance" },
      .mixed = { ".conv3d.weight", NULL, ".bn.bn2d.gamma", ".bn.bn2d.beta", ".bn.bn2d.moving_mean",
                 ".bn.bn2d.moving_variance" },
      .logits = { "logits.logits_conv3d.weight", "logits.logits_conv3d.bias" } },
    { 0 },
};

/* Where a parameter is: its unit, and which branch of it or -1. */
struct place {
    char unit[64];
    int branch;
    bool logits;
};

static struct place place_of(const i3d_param *param)
{
    static const char *const branches[] = { "_b0.", "_b1a.", "_b1b.", "_b2a.", "_b2b.", "_b3b." };
    struct place place = { .branch = -1 };
    size_t length = strcspn(param->path, ".");
    snprintf(place.unit, sizeof place.unit, "%.*s", (int)length, param->path);
    place.logits = strcmp(place.unit, "logits") == 0;
    const char *behind = param->name + length;
    for (int b = 0; b < 6; b++)
        if (strncmp(behind, branches[b], strlen(branches[b])) == 0)
            place.branch = b;
    return place;
}

bool dialect_param_name(const struct dialect *dialect, const i3d_param *param,
                        char out[DIALECT_NAME_BYTES])
{
    struct place place = place_of(param);
    const char *root = dialect->root ? dialect->root : "";
    const char *const *tails = place.logits        ? dialect->logits
                               : place.branch >= 0 ? dialect->mixed
                                                   : dialect->unit;
    const char *tail = tails[param->kind];
    if (!tail)
        return false;
    for (char *at = place.unit; dialect->lower && *at; at++)
        *at = (char)tolower((unsigned char)*at);
    snprintf(out, DIALECT_NAME_BYTES, "%s%s%s%s", root, place.logits ? "" : place.unit,
             place.branch >= 0 ? dialect->branches[place.branch] : "", tail);
    return true;
}

static const i3d_tensor *find(const struct dialect *dialect, const i3d_weights *weights,
                              const char *path)
{
    char name[DIALECT_NAME_BYTES];
    const i3d_param param = { .path = path, .name = path, .kind = I3D_PARAM_WEIGHT };
    return dialect_param_name(dialect, &param, name) ? i3d_weights_find(weights, name) : NULL;
}

const i3d_tensor *dialect_find_stem(const struct dialect *dialect, const i3d_weights *weights)
{
    return find(dialect, weights, "Conv3d_1a_7x7");
}

const i3d_tensor *dialect_find_logits(const struct dialect *dialect, const i3d_weights *weights)
{
    return find(dialect, weights, "logits");
}

const struct dialect *dialect_of(const i3d_weights *weights)
{
    const struct dialect *dialect, *half = NULL;
    for (dialect = dialects; dialect->name; dialect++) {
        bool stem = dialect_find_stem(dialect, weights);
        bool logits = dialect_find_logits(dialect, weights);
        if (stem && logits)
            return dialect;
        if (!half && (stem || logits))
            half = dialect;
    }
    return half;
}

bool dialect_is_state(const char *name)
{
    static const char *const beginnings[] = { "moment1.",
                                              "moment2.",
                                              "moments.",
                                              "accum.",
                                              "stat.",
                                              "beta1_power",
                                              "beta2_power",
                                              "learning_rate",
                                              "global_step",
                                              "momentum",
                                              "mean_square.",
                                              "mean_gradient.",
                                              "i3d.",
                                              "scale_sense",
                                              "current_iterator_step",
                                              "last_overflow_iterator_step" };
    static const char *const ends[] = { ".num_batches_tracked", "/Momentum" };
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++)
        if (strncmp(name, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        size_t length = strlen(name), end = strlen(ends[i]);
        if (length >= end && strcmp(name + length - end, ends[i]) == 0)
            return true;
    }
    return false;
}
