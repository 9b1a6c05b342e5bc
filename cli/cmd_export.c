/* i3d export: a network as a file that ONNX Runtime, MindSpore or Ascend's tools run. */
#include "command.h"
#include "network_option.h"
#include "report.h"

#include <i3d/checkpoint.h>
#include <i3d/eval.h>
#include <i3d/export.h>

#include "base/failure.h"
#include "eval/recipe.h"

#include <string.h>

/* How the network is to be run: as the user says, else as the checkpoint does, else as I3D is. */
static i3d_status settle(const struct options *options, const i3d_weights *weights, i3d_recipe *out)
{
    i3d_recipe asked = option_recipe(options), recorded;
    i3d_status status = i3d_recipe_read(weights, &recorded);
    if (status != I3D_OK)
        return status;
    asked = recipe_over(&asked, &recorded);
    *out = recipe_complete(&asked);
    return I3D_OK;
}

static i3d_status load(const char *path, const struct options *options, i3d_model **model,
                       i3d_recipe *recipe, struct names *labels)
{
    i3d_weights weights;
    i3d_model_options about = { 0 };
    i3d_status status;
    TRY(i3d_weights_read(path, &weights));
    TRY(i3d_weights_describe(&weights, &about.channels, &about.classes));
    TRY(settle(options, &weights, recipe));
    about.head = (i3d_head)recipe->head;
    about.bn_epsilon = recipe->bn_epsilon;
    TRY(i3d_model_create(&about, model));
    TRY(i3d_model_load(*model, &weights, false, NULL));
    TRY(recipe_names(&weights, labels));
out:
    i3d_weights_clear(&weights);
    if (status != I3D_OK)
        failure_prefix(status, "cannot use the checkpoint '%s': ", path);
    return status;
}

/* More than rounding: logits of a network in [-100, 100] differ by 1e-5. */
static const double difference_most = 1e-3;

/* Puts the difference into the report, or why there is none. */
static i3d_status verify(struct report *report, const i3d_model *model,
                         const i3d_export_options *wanted, const char *path)
{
    double difference;
    i3d_status status = i3d_export_verify(model, wanted, path, &difference);
    if (status == I3D_OK && difference > difference_most)
        return failure(I3D_EFORMAT, "'%s' is written, but its logits are %g from the network's",
                       path, difference);
    if (status == I3D_OK)
        report_real(report, "difference", difference);
    else if (status == I3D_EUNSUPPORTED)
        report_text(report, "not_verified", "%s", i3d_error());
    else
        return failure_prefix(status, "'%s' is written, but not verified: ", path);
    return I3D_OK;
}

static void report_export(struct report *report, const i3d_model *model,
                          const i3d_export_options *wanted, const char *path)
{
    const i3d_model_options *about = i3d_model_get_options(model);
    report_text(report, "to", "%s", path);
    report_int(report, "channels", about->channels);
    report_int(report, "classes", about->classes);
    report_text(report, "head", "%s", about->head == I3D_HEAD_MAX ? "max" : "avg");
    report_real(report, "bn_epsilon", about->bn_epsilon);
    report_int(report, "frames", wanted->frames);
    report_int(report, "size", wanted->height);
}

static i3d_status check(const struct options *options, const char *to)
{
    const char *dot = strrchr(to, '.');
    if (option_flag(options, "any-duration") && !(dot && strcmp(dot, ".onnx") == 0))
        return options_refuse("only .onnx files leave the number of frames open; '%s' has a fixed "
                              "number of frames: leave out --any-duration",
                              to);
    return I3D_OK;
}

int cmd_export(const struct options *options)
{
    const char *from = options->arguments[0], *to = options->arguments[1];
    i3d_model *model = NULL;
    i3d_recipe recipe;
    struct names labels = { 0 };
    i3d_export_options wanted = i3d_export_defaults();
    i3d_status status;
    TRY(check(options, to));
    TRY(load(from, options, &model, &recipe, &labels));
    wanted.batch = (int)option_int(options, "batch-size");
    wanted.frames = recipe.frames;
    wanted.height = wanted.width = recipe.size;
    wanted.any_frames = option_flag(options, "any-duration");
    wanted.fold_bn = option_flag(options, "fold-bn");
    wanted.resize = recipe.resize;
    wanted.bgr = recipe.bgr == 1;
    if (labels.count == (size_t)i3d_model_get_options(model)->classes)
        wanted.labels = (const char *const *)labels.items;
    TRY(options_judge(i3d_export(model, &wanted, to)));
    struct report report = report_begin(options);
    report_export(&report, model, &wanted, to);
    if (option_flag(options, "verify"))
        status = verify(&report, model, &wanted, to);
    if (status == I3D_OK)
        report_end(&report);
    else
        report_drop(&report);
out:
    names_clear(&labels);
    i3d_model_free(model);
    return command_result(status);
}
