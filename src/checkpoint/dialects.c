#include "checkpoint/dialects.h"

#include "base/failure.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Tails by role. */
static const char *const mindspore_branches[] = { "_b0", "_b1a", "_b1b", "_b2a", "_b2b", "_b3b" };
static const char *const mindspore_unit[I3D_PARAM_ROLES] = { ".weight",
                                                             NULL,
                                                             "_bn.bn2d.gamma",
                                                             "_bn.bn2d.beta",
                                                             "_bn.bn2d.moving_mean",
                                                             "_bn.bn2d.moving_variance" };
static const char *const mindspore_mixed[I3D_PARAM_ROLES] = {
    ".conv3d.weight",          NULL, ".bn.bn2d.gamma", ".bn.bn2d.beta", ".bn.bn2d.moving_mean",
    ".bn.bn2d.moving_variance"
};
static const char *const mindspore_logits[I3D_PARAM_ROLES] = { "logits_conv3d.weight",
                                                               "logits_conv3d.bias" };
/* Logits that were replaced for a fine-tuning are named by their place. */
static const char *const mindspore_new_logits[I3D_PARAM_ROLES] = { "logits.logits_conv3d.weight",
                                                                   "logits.logits_conv3d.bias" };

static const char *const piergiaj_branches[] = { ".b0", ".b1a", ".b1b", ".b2a", ".b2b", ".b3b" };
static const char *const piergiaj_tails[I3D_PARAM_ROLES] = {
    ".conv3d.weight", ".conv3d.bias",     ".bn.weight",
    ".bn.bias",       ".bn.running_mean", ".bn.running_var"
};
static const char *const piergiaj_logits[I3D_PARAM_ROLES] = { "logits.conv3d.weight",
                                                              "logits.conv3d.bias" };

static const char *const hassony2_branches[] = { ".branch_0",   ".branch_1.0", ".branch_1.1",
                                                 ".branch_2.0", ".branch_2.1", ".branch_3.1" };
static const char *const hassony2_tails[I3D_PARAM_ROLES] = {
    ".conv3d.weight", ".conv3d.bias",          ".batch3d.weight",
    ".batch3d.bias",  ".batch3d.running_mean", ".batch3d.running_var"
};
static const char *const hassony2_logits[I3D_PARAM_ROLES] = { "conv3d_0c_1x1.conv3d.weight",
                                                              "conv3d_0c_1x1.conv3d.bias" };

static const char *const deepmind_branches[] = {
    "/Branch_0/Conv3d_0a_1x1", "/Branch_1/Conv3d_0a_1x1", "/Branch_1/Conv3d_0b_3x3",
    "/Branch_2/Conv3d_0a_1x1", "/Branch_2/Conv3d_0b_3x3", "/Branch_3/Conv3d_0b_1x1"
};
static const char *const deepmind_tails[I3D_PARAM_ROLES] = { "/conv_3d/w",
                                                             "/conv_3d/b",
                                                             NULL, /* its norms do not scale */
                                                             "/batch_norm/beta",
                                                             "/batch_norm/moving_mean",
                                                             "/batch_norm/moving_variance" };
static const char *const deepmind_logits[I3D_PARAM_ROLES] = { "Logits/Conv3d_0c_1x1/conv_3d/w",
                                                              "Logits/Conv3d_0c_1x1/conv_3d/b" };

const struct naming naming_mindspore = { .dialect = &dialects[DIALECT_MINDSPORE] };

const struct dialect dialects[DIALECT_COUNT] = {
    [DIALECT_MINDSPORE] = { .name = "MindSpore",
                            .branches = mindspore_branches,
                            .unit = mindspore_unit,
                            .mixed = mindspore_mixed,
                            .logits = mindspore_logits },
    [DIALECT_MINDSPORE_NEW] = { .name = "MindSpore, fine-tuned",
                                .branches = mindspore_branches,
                                .unit = mindspore_unit,
                                .mixed = mindspore_mixed,
                                .logits = mindspore_new_logits },
    [DIALECT_PIERGIAJ] = { .name = "PyTorch (piergiaj)",
                           .branches = piergiaj_branches,
                           .unit = piergiaj_tails,
                           .mixed = piergiaj_tails,
                           .logits = piergiaj_logits },
    [DIALECT_HASSONY2] = { .name = "PyTorch (hassony2)",
                           .lower = true,
                           .branches = hassony2_branches,
                           .unit = hassony2_tails,
                           .mixed = hassony2_tails,
                           .logits = hassony2_logits },
    [DIALECT_DEEPMIND] = { .name = "TensorFlow (DeepMind)",
                           .channels_last = true,
                           .branches = deepmind_branches,
                           .unit = deepmind_tails,
                           .mixed = deepmind_tails,
                           .logits = deepmind_logits,
                           .odd = { "Mixed_5b", 4, "/Branch_2/Conv3d_0a_3x3" } },
};

/* How our own names go on behind the unit's: "Mixed_3b_b1a.gamma". */
static const char *const our_branches[] = { "_b0.", "_b1a.", "_b1b.", "_b2a.", "_b2b.", "_b3b." };

struct place place_of(const i3d_param *param)
{
    struct place place = { .unit = param->unit, .branch = -1 };
    const char *behind = param->name + strlen(param->unit);
    for (int b = 0; b < 6; b++)
        if (strncmp(behind, our_branches[b], strlen(our_branches[b])) == 0)
            place.branch = b;
    return place;
}

bool naming_param(const struct naming *naming, const i3d_param *param, char out[DIALECT_NAME_BYTES])
{
    const struct dialect *dialect = naming->dialect;
    struct place place = place_of(param);
    char unit[DIALECT_UNIT_BYTES];
    bool logits = strcmp(place.unit, "logits") == 0;
    const char *middle = place.branch < 0 ? "" : dialect->branches[place.branch];
    if (dialect->odd.unit && strcmp(place.unit, dialect->odd.unit) == 0 &&
        place.branch == dialect->odd.branch)
        middle = dialect->odd.name;
    const char *const *tails = logits             ? dialect->logits
                               : place.branch < 0 ? dialect->unit
                                                  : dialect->mixed;
    const char *tail = tails[param->role];
    snprintf(unit, sizeof unit, "%s", logits ? "" : place.unit);
    for (char *at = unit; dialect->lower && *at; at++)
        *at = (char)tolower((unsigned char)*at);
    if (tail)
        snprintf(out, DIALECT_NAME_BYTES, "%s%s%s%s", naming->root, unit, middle, tail);
    return tail != NULL;
}

static const i3d_param stem_weight = { .name = "Conv3d_1a_7x7.weight", .unit = "Conv3d_1a_7x7" };
static const i3d_param logits_weight = { .name = "logits.weight", .unit = "logits" };

static const i3d_tensor *find(const struct naming *naming, const i3d_weights *weights,
                              const i3d_param *param)
{
    char name[DIALECT_NAME_BYTES];
    return naming_param(naming, param, name) ? i3d_weights_find(weights, name) : NULL;
}

const i3d_tensor *naming_stem(const struct naming *naming, const i3d_weights *weights)
{
    return find(naming, weights, &stem_weight);
}

const i3d_tensor *naming_logits(const struct naming *naming, const i3d_weights *weights)
{
    return find(naming, weights, &logits_weight);
}

/* The shortest root before a parameter's name: an optimizer's copies have longer ones. */
static bool find_root(const struct dialect *dialect, const i3d_weights *weights,
                      const i3d_param *param, struct naming *out)
{
    char wanted[DIALECT_NAME_BYTES];
    size_t shortest = DIALECT_NAME_BYTES - 128; /* leaves room for every name behind it */
    bool found = false;
    *out = (struct naming){ .dialect = dialect };
    naming_param(out, param, wanted);
    size_t length = strlen(wanted);
    for (size_t i = 0; i < weights->count; i++) {
        const char *name = weights->tensors[i].name;
        size_t whole = strlen(name);
        if (whole < length || whole - length >= shortest ||
            strcmp(name + whole - length, wanted) != 0)
            continue;
        found = true;
        shortest = whole - length;
        snprintf(out->root, sizeof out->root, "%.*s", (int)shortest, name);
    }
    return found;
}

i3d_status naming_of(const i3d_weights *weights, struct naming *out)
{
    bool half = false;
    for (const struct dialect *dialect = dialects; dialect < dialects + DIALECT_COUNT; dialect++) {
        struct naming naming;
        bool stem = find_root(dialect, weights, &stem_weight, &naming);
        bool logits = stem ? naming_logits(&naming, weights) != NULL
                           : find_root(dialect, weights, &logits_weight, &naming);
        if ((stem && logits) || ((stem || logits) && !half))
            *out = naming;
        if (stem && logits)
            return I3D_OK;
        half = half || stem || logits;
    }
    if (half)
        return I3D_OK;
    return failure(I3D_EFORMAT, "the weights are not those of an I3D: neither the first "
                                "convolution nor the logits are among their names");
}

bool name_is_state(const char *name)
{
    static const char *const heads[] = { "moment1.",
                                         "moment2.",
                                         "moments.",
                                         "accum.",
                                         "stat.",
                                         "mean_square.",
                                         "mean_gradient.",
                                         "beta1_power",
                                         "beta2_power",
                                         "learning_rate",
                                         "global_step",
                                         "momentum",
                                         "weight_decay",
                                         "scale_sense",
                                         "current_iterator_step",
                                         "last_overflow_iterator_step",
                                         "epoch",
                                         "step_num",
                                         "optimizer.",
                                         "i3d." };
    static const char *const tails[] = { ".num_batches_tracked", "/Momentum" };
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        if (strncmp(name, heads[i], strlen(heads[i])) == 0)
            return true;
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        size_t length = strlen(name), tail = strlen(tails[i]);
        if (length >= tail && strcmp(name + length - tail, tails[i]) == 0)
            return true;
    }
    return false;
}
