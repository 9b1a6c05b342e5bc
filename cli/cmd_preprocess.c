/* i3d preprocess: clips as raw files for other devices. */
#include "command.h"
#include "network_option.h"
#include "report.h"

#include <i3d/edge.h>

#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"
#include "edge/place.h"
#include "eval/recipe.h"

#include <string.h>

/* What the network's file records, which must be of the stream. */
static i3d_status read_recipe(const char *path, i3d_stream stream, i3d_recipe *out)
{
    i3d_status status;
    i3d_weights weights = { 0 };
    int channels, classes, wanted = stream == I3D_FLOW ? 2 : 3;
    TRY(i3d_weights_read(path, &weights));
    TRY(i3d_weights_describe(&weights, &channels, &classes));
    if (channels != wanted)
        TRY(failure(I3D_EINVAL,
                    "it has %d input channels, but the %s stream has %d: give its --mode", channels,
                    wanted == 2 ? "flow" : "rgb", wanted));
    TRY(i3d_recipe_read(&weights, out));
out:
    i3d_weights_clear(&weights);
    if (status != I3D_OK)
        failure_prefix(status, "cannot use the checkpoint '%s': ", path);
    return status;
}

/* As the user says, else as the checkpoint records, else as I3D is. */
static i3d_status settle(const struct options *options, i3d_recipe *out)
{
    i3d_status status = I3D_OK;
    i3d_recipe asked = option_recipe(options), recorded = i3d_recipe_unknown();
    const char *checkpoint = option_text(options, "checkpoint-path");
    if (checkpoint)
        TRY(read_recipe(checkpoint, option_stream(options), &recorded));
    asked = recipe_over(&asked, &recorded);
    *out = recipe_complete(&asked);
out:
    return status;
}

int cmd_preprocess(const struct options *options)
{
    i3d_status status;
    i3d_dataset *dataset = NULL;
    i3d_loader *loader = NULL;
    i3d_recipe recipe;
    int files;
    long clips;
    const i3d_edge_place place = option_place(options, option_stream(options));
    bool training = strcmp(option_text(options, "subset"), "training") == 0;
    i3d_dataset_options data =
        option_dataset(options, place.stream, training ? I3D_TRAINING : I3D_VALIDATION);
    struct report report = report_begin(options);
    if (!data.annotation || !data.root)
        TRY(options_refuse("--video-path says where the videos are; --annotation-path says which "
                           "and of what"));
    TRY(options_judge(place_check(&place)));
    TRY(settle(options, &recipe));
    TRY(i3d_dataset_open(&data, &dataset));
    const i3d_loader_options load = { .clip = option_clip(options, &recipe),
                                      .batch = (int)option_int(options, "batch-size"),
                                      .workers = (int)option_int(options, "num-workers") };
    TRY(i3d_loader_create(dataset, &load, &loader));
    TRY(i3d_edge_preprocess(&place, loader, dataset, &files, &clips));
    if (i3d_loader_skipped(loader))
        talk("%ld clips were left out", i3d_loader_skipped(loader));
    report_int(&report, "files", files);
    report_int(&report, "clips", clips);
    report_int(&report, "frames", recipe.frames);
    report_int(&report, "size", recipe.size);
    report_end(&report);
out:
    report_drop(&report);
    i3d_loader_free(loader);
    i3d_dataset_close(dataset);
    return command_result(status);
}
