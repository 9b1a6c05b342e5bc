/* Which parameters fine-tuning trains. */
#include <i3d/train.h>

#include "base/failure.h"

#include <stdio.h>
#include <string.h>

static i3d_status unknown_prefix(const i3d_model *model, const char *prefix, size_t length)
{
    char known[1200] = "";
    const char *last = "";
    for (size_t p = 0; p < i3d_model_param_count(model); p++) {
        const char *unit = i3d_model_param(model, p)->unit;
        size_t used = strlen(known);
        if (strcmp(unit, last) != 0)
            snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", unit);
        last = unit;
    }
    return failure(I3D_EINVAL, "no parameter begins with the prefix '%.*s'; known are: %s",
                   (int)length, prefix, known);
}

/* Of its name, or of the same below its unit, as the original writes it: "Mixed_5c.Mixed_5c_b0". */
static bool has_prefix(const i3d_param *param, const char *prefix, size_t length)
{
    size_t unit = strlen(param->unit);
    if (length > unit && strncmp(prefix, param->unit, unit) == 0 && prefix[unit] == '.' &&
        strncmp(param->name, prefix + unit + 1, length - unit - 1) == 0)
        return true;
    return strncmp(param->name, prefix, length) == 0;
}

i3d_status i3d_train_select(const i3d_model *model, const char *prefixes, bool *out)
{
    size_t count = i3d_model_param_count(model);
    bool all = !prefixes || !*prefixes;
    for (size_t p = 0; p < count; p++)
        out[p] = all;
    for (const char *prefix = prefixes; !all && *prefix;) {
        size_t length = strcspn(prefix, ","), found = 0;
        for (size_t p = 0; p < count; p++)
            if (has_prefix(i3d_model_param(model, p), prefix, length)) {
                out[p] = true;
                found++;
            }
        if (!length || !found)
            return unknown_prefix(model, prefix, length);
        prefix += length + (prefix[length] == ',');
    }
    for (size_t p = 0; p < count; p++) {
        i3d_param_role role = i3d_model_param(model, p)->role;
        out[p] = out[p] && role != I3D_PARAM_MEAN && role != I3D_PARAM_VARIANCE;
    }
    return I3D_OK;
}
