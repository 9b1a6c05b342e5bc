/* A trained network from its checkpoint alone. */
#include <i3d/eval.h>

#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"
#include "eval/recipe.h"

struct i3d_classifier {
    i3d_model *model;
    i3d_network *network;
    i3d_recipe recipe;
    struct names names;
};

static i3d_status load_model(const i3d_classifier_options *options, i3d_classifier *classifier)
{
    i3d_status status;
    i3d_weights weights = { 0 };
    i3d_recipe recorded;
    i3d_model_options model = { 0 };
    int channels = options->stream == I3D_FLOW ? 2 : 3;
    TRY(i3d_weights_read(options->checkpoint, &weights));
    TRY(i3d_weights_describe(&weights, &model.channels, &model.classes));
    if (model.channels != channels) {
        status = failure(I3D_EINVAL, "it has %d input channels, but the %s stream has %d",
                         model.channels, channels == 2 ? "flow" : "rgb", channels);
        goto out;
    }
    TRY(i3d_recipe_read(&weights, &recorded));
    recorded = recipe_over(&options->recipe, &recorded);
    classifier->recipe = recipe_complete(&recorded);
    model.head = (i3d_head)classifier->recipe.head;
    model.bn_epsilon = classifier->recipe.bn_epsilon;
    TRY(i3d_model_create(&model, &classifier->model));
    TRY(i3d_model_load(classifier->model, &weights, false, NULL));
    TRY(recipe_names(&weights, &classifier->names));
out:
    i3d_weights_clear(&weights);
    if (status != I3D_OK)
        failure_prefix(status, "cannot use the checkpoint '%s': ", options->checkpoint);
    return status;
}

i3d_status i3d_classifier_open(const i3d_classifier_options *options, i3d_classifier **out)
{
    i3d_status status;
    i3d_classifier *classifier = NULL;
    *out = NULL;
    TRY(memory_get(1, sizeof *classifier, &classifier));
    TRY(load_model(options, classifier));
    i3d_network_options network = { .engine = options->engine,
                                    .precision = options->precision,
                                    .batch = options->batch,
                                    .frames = classifier->recipe.frames,
                                    .height = classifier->recipe.size,
                                    .width = classifier->recipe.size,
                                    .threads = options->threads };
    TRY(i3d_network_create(classifier->model, &network, &classifier->network));
    *out = classifier;
    classifier = NULL;
out:
    i3d_classifier_close(classifier);
    return status;
}

void i3d_classifier_close(i3d_classifier *classifier)
{
    if (!classifier)
        return;
    i3d_network_free(classifier->network);
    i3d_model_free(classifier->model);
    names_clear(&classifier->names);
    memory_free(classifier);
}

int i3d_classifier_class_count(const i3d_classifier *classifier)
{
    return i3d_model_get_options(classifier->model)->classes;
}

i3d_recipe i3d_classifier_get_recipe(const i3d_classifier *classifier)
{
    return classifier->recipe;
}

const char *i3d_classifier_class_name(const i3d_classifier *classifier, int label)
{
    bool known = label >= 0 && (size_t)label < classifier->names.count;
    return known ? classifier->names.items[label] : NULL;
}

i3d_network *i3d_classifier_network(i3d_classifier *classifier)
{
    return classifier->network;
}
