/* i3d inflate: the network's first weights from a 2-D GoogLeNet. */
#include "command.h"
#include "report.h"

#include <i3d/checkpoint.h>
#include <i3d/eval.h>

#include "base/failure.h"

/* The inflated parameters, and how a network of them is to be run. */
static i3d_status collect(const i3d_model *model, i3d_weights *out)
{
    i3d_recipe recipe = i3d_recipe_unknown();
    recipe.head = I3D_HEAD_AVG;
    recipe.bn_epsilon = i3d_model_get_options(model)->bn_epsilon;
    recipe.bgr = 0;
    i3d_status status = i3d_model_save(model, out);
    return status == I3D_OK ? i3d_recipe_add(out, &recipe, NULL, 0) : status;
}

int cmd_inflate(const struct options *options)
{
    const char *from = options->arguments[0], *to = options->arguments[1];
    i3d_weights googlenet, inflated = { 0 }, named = { 0 };
    i3d_model *model = NULL;
    i3d_status status;
    TRY(i3d_weights_read(from, &googlenet));
    status = i3d_model_inflate(&googlenet, (int)option_int(options, "channels"), &model);
    if (status != I3D_OK) {
        failure_prefix(status, "cannot inflate '%s': ", from);
        goto out;
    }
    TRY(collect(model, &inflated));
    TRY(options_judge(i3d_weights_convert(&inflated, to, true, &named, NULL)));
    TRY(i3d_weights_write(to, &named));
    struct report report = report_begin(options);
    report_text(&report, "from", "%s", googlenet.format);
    report_int(&report, "channels", i3d_model_get_options(model)->channels);
    report_int(&report, "classes", i3d_model_get_options(model)->classes);
    report_int(&report, "parameters", (long long)i3d_model_data_count(model));
    report_text(&report, "to", "%s", to);
    report_end(&report);
out:
    i3d_model_free(model);
    i3d_weights_clear(&googlenet);
    i3d_weights_clear(&inflated);
    i3d_weights_clear(&named);
    return command_result(status);
}
