#include "network_option.h"

#include "base/talk.h"

#include <string.h>
#include <strings.h>

static bool is(const struct options *options, const char *name, const char *value)
{
    const char *text = option_text(options, name);
    return text && strcmp(text, value) == 0;
}

/* Whether the command has the option and the user gave it. */
static bool says(const struct options *options, const char *name)
{
    return option_find(options->command, name) && option_given(options, name);
}

bool option_compat(const struct options *options)
{
    return is(options, "compat", "mindspore");
}

i3d_recipe option_recipe(const struct options *options)
{
    i3d_recipe recipe = i3d_recipe_unknown();
    if (option_compat(options)) {
        recipe.head = I3D_HEAD_MAX;
        recipe.bn_epsilon = 1e-5;
        recipe.resize = 0;
        recipe.bgr = 1;
    }
    if (says(options, "head"))
        recipe.head = is(options, "head", "max") ? I3D_HEAD_MAX : I3D_HEAD_AVG;
    if (says(options, "bn-epsilon"))
        recipe.bn_epsilon = option_real(options, "bn-epsilon");
    if (option_given(options, "test-sample-duration"))
        recipe.frames = (int)option_int(options, "test-sample-duration");
    if (option_given(options, "spatial-size"))
        recipe.size = (int)option_int(options, "spatial-size");
    if (says(options, "resize"))
        recipe.resize = (int)option_int(options, "resize");
    if (says(options, "bgr") && option_flag(options, "bgr"))
        recipe.bgr = 1;
    return recipe;
}

i3d_precision option_precision(const struct options *options)
{
    static const struct {
        const char *name;
        i3d_precision precision;
    } rows[] = { { "bf16", I3D_PRECISION_BF16 },
                 { "fp16", I3D_PRECISION_F16 },
                 { "tf32", I3D_PRECISION_TF32 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (is(options, "precision", rows[i].name))
            return rows[i].precision;
    return I3D_PRECISION_F32;
}

const char *option_engine(const struct options *options)
{
    const char *device = says(options, "device") ? option_text(options, "device") : NULL;
    if (!device || says(options, "engine"))
        return option_text(options, "engine");
    if (strcasecmp(device, "Ascend") == 0) {
        talk("--device %s means nothing here: the fastest engine is taken", device);
        return "auto";
    }
    return strcasecmp(device, "GPU") == 0   ? "cuda"
           : strcasecmp(device, "CPU") == 0 ? "cpu"
                                            : device;
}

i3d_fusion option_fusion(const struct options *options)
{
    return (i3d_fusion){ .rgb_weight = option_real(options, "rgb-weight"),
                         .flow_weight = option_real(options, "flow-weight"),
                         .softmax = is(options, "fusion", "softmax") };
}

i3d_dataset_options option_dataset(const struct options *options, i3d_stream stream,
                                   i3d_subset subset)
{
    return (i3d_dataset_options){ .annotation = option_text(options, "annotation-path"),
                                  .root = option_text(options, "video-path"),
                                  .stream = stream,
                                  .subset = subset,
                                  .video = is(options, "source", "video"),
                                  .short_side = (int)option_int(options, "size"),
                                  .fps = option_real(options, "fps"),
                                  .fill_gaps = option_flag(options, "fill-gaps"),
                                  .time_limit = option_real(options, "time-limit"),
                                  .flow_preset = option_text(options, "flow-preset"),
                                  .flow_cache = option_text(options, "flow-cache"),
                                  .strict = option_flag(options, "strict") };
}

i3d_clip_options option_clip(const struct options *options, const i3d_recipe *recipe)
{
    i3d_clip_options clip = i3d_clip_defaults();
    clip.training = false;
    clip.frames = recipe->frames;
    clip.size = recipe->size;
    clip.resize = recipe->resize;
    clip.bgr = recipe->bgr == 1;
    clip.clips_per_video = (int)option_int(options, "num-val-samples");
    clip.skip_bad = option_flag(options, "skip-bad");
    return clip;
}

i3d_stream option_stream(const struct options *options)
{
    return is(options, "mode", "flow") ? I3D_FLOW : I3D_RGB;
}

i3d_edge_place option_place(const struct options *options, i3d_stream stream)
{
    return (i3d_edge_place){ .root = option_text(options, "root"),
                             .dataset = option_text(options, "dataset"),
                             .stream = stream };
}

void option_remark_ignored(const struct options *options)
{
    static const struct {
        const char *name, *instead;
    } ignored[] = {
        { "openI", "give --video-path, --annotation-path and --save-dir" },
        { "data-url", "give --video-path" },
        { "train-url", "give --save-dir" },
        { "ckpt-url", "give --rgb or --flow" },
        { "result-url", "give --save-dir" },
        { "device-num", "one process trains" },
        { "device-target", "choose by --engine" },
        { "context", "there is one mode" },
        { "amp-level", "choose by --precision" },
        { "start-epoch", "go on with a run by --resume" },
    };
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++) {
        const char *name = ignored[i].name;
        const struct option_row *row = option_find(options->command, name);
        if (row &&
            (row->type == OPTION_FLAG ? option_flag(options, name) : option_given(options, name)))
            talk("--%s means nothing here: %s", name, ignored[i].instead);
    }
}
