/* A trained network from its file alone: a checkpoint, or a graph. */
#include <i3d/eval.h>

#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/talk.h"
#include "eval/recipe.h"

#include <stdio.h>
#include <string.h>

struct i3d_classifier {
    i3d_model *model; /* NULL: the network is a graph */
    i3d_network *network;
    i3d_recipe recipe;
    struct names names;
};

/* What the network is asked to run; 0, a size that is not known, is a graph's affair. */
static i3d_network_options network_options(const i3d_classifier_options *options,
                                           const i3d_recipe *recipe)
{
    int size = recipe->size < 0 ? 0 : recipe->size;
    return (i3d_network_options){ .engine = options->engine,
                                  .precision = options->precision,
                                  .batch = options->batch,
                                  .frames = recipe->frames < 0 ? 0 : recipe->frames,
                                  .height = size,
                                  .width = size,
                                  .threads = options->threads };
}

static i3d_status check_channels(int channels, i3d_stream stream)
{
    int wanted = stream == I3D_FLOW ? 2 : 3;
    if (channels != wanted)
        return failure(I3D_EINVAL, "it has %d input channels, but the %s stream has %d", channels,
                       stream == I3D_FLOW ? "flow" : "rgb", wanted);
    return I3D_OK;
}

static i3d_status load_model(const i3d_classifier_options *options, const i3d_weights *weights,
                             i3d_classifier *classifier)
{
    i3d_status status;
    i3d_recipe recorded;
    i3d_model_options model = { 0 };
    TRY(i3d_weights_describe(weights, &model.channels, &model.classes));
    TRY(check_channels(model.channels, options->stream));
    TRY(i3d_recipe_read(weights, &recorded));
    recorded = recipe_over(&options->recipe, &recorded);
    classifier->recipe = recipe_complete(&recorded);
    model.head = (i3d_head)classifier->recipe.head;
    model.bn_epsilon = classifier->recipe.bn_epsilon;
    TRY(i3d_model_create(&model, &classifier->model));
    TRY(i3d_model_load(classifier->model, weights, false, NULL));
    TRY(recipe_names(weights, &classifier->names));
out:
    return status == I3D_OK
               ? status
               : failure_prefix(status, "cannot use the checkpoint '%s': ", options->checkpoint);
}

static i3d_status create_network(const i3d_classifier_options *options, i3d_classifier *classifier)
{
    const i3d_network_options network = network_options(options, &classifier->recipe);
    return i3d_network_create(classifier->model, &network, &classifier->network);
}

/* The sizes are the graph's. Its head and its epsilon are in it: known if recorded, never chosen.
 */
static i3d_status settle_recipe(const i3d_recipe *recorded, i3d_classifier *classifier)
{
    i3d_network_shape shape = i3d_network_get_shape(classifier->network);
    i3d_recipe *recipe = &classifier->recipe;
    if (shape.height != shape.width)
        return failure(I3D_EUNSUPPORTED, "its clips are %d x %d, but clips here are square",
                       shape.height, shape.width);
    recipe->frames = shape.frames;
    recipe->size = shape.height;
    *recipe = recipe_complete(recipe);
    recipe->head = recorded->head;
    recipe->bn_epsilon = recorded->bn_epsilon;
    return I3D_OK;
}

/* `weights` are what could be read of the graph's file beside the graph, maybe nothing: what a
 * graph of `i3d export` records is in them. */
static i3d_status open_graph(const i3d_classifier_options *options, const i3d_weights *weights,
                             i3d_classifier *classifier)
{
    i3d_status status;
    i3d_recipe recorded;
    TRY(i3d_recipe_read(weights, &recorded));
    classifier->recipe = recipe_over(&options->recipe, &recorded);
    const i3d_network_options network = network_options(options, &classifier->recipe);
    status = i3d_network_open(options->checkpoint, &network, &classifier->network);
    if (status != I3D_OK)
        return status;
    TRY(check_channels(i3d_network_get_shape(classifier->network).channels, options->stream));
    TRY(settle_recipe(&recorded, classifier));
    TRY(recipe_names(weights, &classifier->names));
out:
    return status == I3D_OK ? status
                            : failure_prefix(status, "cannot use '%s': ", options->checkpoint);
}

/* Asked for, the graph is run whatever becomes of reading its weights. */
static i3d_status open_asked_graph(const i3d_classifier_options *options,
                                   i3d_classifier *classifier)
{
    i3d_status status;
    char unread[400] = "";
    i3d_weights weights = { 0 };
    if (i3d_weights_read(options->checkpoint, &weights) != I3D_OK)
        snprintf(unread, sizeof unread, "%s", i3d_error());
    status = open_graph(options, &weights, classifier);
    if (status == I3D_OK && *unread)
        talk("what is recorded beside the graph is not used: %s", unread);
    i3d_weights_clear(&weights);
    return status;
}

/* A file whose weights this program does not know as an I3D's may still be a graph of one. */
static i3d_status open_file(const i3d_classifier_options *options, i3d_classifier *classifier)
{
    i3d_status status;
    char reason[400];
    i3d_weights weights = { 0 };
    bool any = !options->engine || strcmp(options->engine, "auto") == 0;
    TRY(i3d_weights_read(options->checkpoint, &weights));
    status = load_model(options, &weights, classifier);
    if (status == I3D_EFORMAT && any && strcmp(weights.format, "ONNX model") == 0) {
        snprintf(reason, sizeof reason, "%s", i3d_error());
        i3d_model_free(classifier->model);
        classifier->model = NULL;
        status = open_graph(options, &weights, classifier);
        if (status == I3D_OK)
            talk("'%s' runs as a graph in ONNX Runtime: its weights are not an I3D's by name",
                 options->checkpoint);
        else
            failure(status, "%s; as a graph: %s", reason, i3d_error());
    } else if (status == I3D_OK) {
        i3d_weights_clear(&weights); /* before the network takes its memory */
        status = create_network(options, classifier);
    }
out:
    i3d_weights_clear(&weights);
    return status;
}

i3d_status i3d_classifier_open(const i3d_classifier_options *options, i3d_classifier **out)
{
    i3d_status status;
    i3d_classifier *classifier = NULL;
    *out = NULL;
    TRY(memory_get(1, sizeof *classifier, &classifier));
    if (options->engine && strncmp(options->engine, "onnxruntime", strlen("onnxruntime")) == 0)
        TRY(open_asked_graph(options, classifier));
    else
        TRY(open_file(options, classifier));
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
    return i3d_network_get_shape(classifier->network).classes;
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
