/* i3d inspect: what is in a file of weights. */
#include "command.h"
#include "report.h"

#include "checkpoint/match.h"

static const char *const kinds[] = { "weight", "bias", "gamma", "beta", "mean", "variance" };

/* The weights of an I3D, against the model they describe. */
static i3d_status match(const i3d_weights *weights, i3d_model **model, struct matching *out)
{
    i3d_model_options options = { .bn_epsilon = 1e-3 };
    i3d_status status = i3d_weights_describe(weights, &options.channels, &options.classes);
    if (status == I3D_OK)
        status = i3d_model_create(&options, model);
    return status == I3D_OK ? match_weights(*model, weights, out) : status;
}

static const char *kind_of(const struct matching *matching, const i3d_tensor *tensor, size_t index)
{
    const i3d_param *owner = matching->owners ? matching->owners[index] : NULL;
    if (owner)
        return kinds[owner->role];
    return name_is_state(tensor->name) ? "state" : "other";
}

static void report_tensor(struct report *report, const i3d_tensor *tensor, const char *kind)
{
    char shape[I3D_RANK_MAX * 24 + 8] = "";
    size_t length = 0;
    for (int i = 0; i < tensor->rank; i++)
        length += (size_t)snprintf(shape + length, sizeof shape - length, "%s%lld", i ? ", " : "",
                                   (long long)tensor->shape[i]);
    report_say(report, "%-8s %-8s [%s] %s", kind, i3d_dtype_name(tensor->dtype), shape,
               tensor->name);
    if (!report->json)
        return;
    report_object(report, NULL);
    report_text(report, "name", "%s", tensor->name);
    report_text(report, "kind", "%s", kind);
    report_text(report, "dtype", "%s", i3d_dtype_name(tensor->dtype));
    report_list(report, "shape");
    for (int i = 0; i < tensor->rank; i++)
        report_int(report, NULL, (long long)tensor->shape[i]);
    report_close(report);
    report_close(report);
}

static void report_network(struct report *report, const char *dialect, const i3d_model *model,
                           const struct matching *matching)
{
    report_text(report, "names", "%s", dialect);
    if (!model)
        return;
    report_int(report, "channels", i3d_model_get_options(model)->channels);
    report_int(report, "classes", i3d_model_get_options(model)->classes);
    report_int(report, "loaded", (long long)matching->match.loaded);
    report_int(report, "missing", (long long)matching->match.missing);
    report_int(report, "wrong_shape", (long long)matching->match.wrong_shape);
    report_int(report, "extra", (long long)matching->match.extra);
    report_int(report, "state", (long long)matching->match.state);
}

static const char *other_names(const i3d_weights *weights)
{
    return weights_are_googlenet(weights) ? "Caffe (GoogLeNet): for 'i3d inflate'" : "not an I3D's";
}

int cmd_inspect(const struct options *options)
{
    i3d_weights weights;
    i3d_model *model = NULL;
    struct matching matching = { 0 };
    const char *path = options->arguments[0];
    size_t elements = 0;
    if (i3d_weights_read(path, &weights) != I3D_OK)
        return command_failed();
    const char *dialect = i3d_weights_dialect(&weights);
    if (dialect && match(&weights, &model, &matching) != I3D_OK) {
        i3d_model_free(model);
        model = NULL;
    }
    for (size_t i = 0; i < weights.count; i++)
        elements += i3d_tensor_count(&weights.tensors[i]);
    struct report report = report_begin(options);
    report_text(&report, "file", "%s", path);
    report_text(&report, "format", "%s", weights.format);
    report_int(&report, "tensors", (long long)weights.count);
    report_int(&report, "elements", (long long)elements);
    report_network(&report, dialect ? dialect : other_names(&weights), model, &matching);
    report_list(&report, "content");
    for (size_t i = 0; i < weights.count; i++)
        report_tensor(&report, &weights.tensors[i], kind_of(&matching, &weights.tensors[i], i));
    report_close(&report);
    report_end(&report);
    matching_clear(&matching);
    i3d_model_free(model);
    i3d_weights_clear(&weights);
    return EXIT_OK;
}
