/* From Caffe's GoogLeNet, Inception-V1 without batch norm, to I3D. */
#include "checkpoint/dialects.h"

#include "base/failure.h"

#include <stdio.h>
#include <string.h>

static const double bn_epsilon = 1e-3;

/* Caffe's input is BGR in 0..255 less this; ours is RGB in [-1, 1]: x = 127.5 p + 127.5 - mean. */
static const double mean_bgr[3] = { 104, 117, 123 };
static const double half_range = 127.5;

/* What GoogLeNet calls the layer of a parameter, then "/weight" or "/bias". */
static void layer_name(const i3d_param *param, const char *tail, char out[DIALECT_NAME_BYTES])
{
    static const struct {
        const char *unit, *layer;
    } layers[] = { { "Conv3d_1a_7x7", "conv1/7x7_s2" },
                   { "Conv3d_2b_1x1", "conv2/3x3_reduce" },
                   { "Conv3d_2c_3x3", "conv2/3x3" },
                   { "logits", "loss3/classifier" } };
    static const char *const branches[] = { "1x1",        "3x3_reduce", "3x3",
                                            "5x5_reduce", "5x5",        "pool_proj" };
    struct place place = place_of(param);
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++)
        if (strcmp(layers[i].unit, place.unit) == 0)
            snprintf(out, DIALECT_NAME_BYTES, "%s%s", layers[i].layer, tail);
    /* Mixed_3b is inception_3a. */
    if (place.branch >= 0)
        snprintf(out, DIALECT_NAME_BYTES, "inception_%c%c/%s%s", place.unit[6], place.unit[7] - 1,
                 branches[place.branch], tail);
}

/* A layer's weight [out, in, h, w], or [out, in], that suits the parameter, and its bias. */
struct layer {
    const i3d_tensor *weight, *bias;
    size_t inputs, width; /* h = w */
};

static i3d_status find_tensor(const i3d_weights *googlenet, const i3d_param *param,
                              const char *tail, const i3d_tensor **out)
{
    char name[DIALECT_NAME_BYTES];
    layer_name(param, tail, name);
    *out = i3d_weights_find(googlenet, name);
    if (*out)
        return I3D_OK;
    return failure(I3D_EFORMAT, "the weights lack '%s': they are not those of Caffe's GoogLeNet",
                   name);
}

static i3d_status find_layer(const i3d_weights *googlenet, const i3d_param *param,
                             struct layer *out)
{
    i3d_status status;
    TRY(find_tensor(googlenet, param, "/weight", &out->weight));
    TRY(find_tensor(googlenet, param, "/bias", &out->bias));
    const int64_t *shape = out->weight->shape;
    bool map = out->weight->rank == 4;
    if ((!map && out->weight->rank != 2) || shape[0] != param->shape[0] ||
        (map && shape[2] != shape[3]) || out->bias->rank != 1 || out->bias->shape[0] != shape[0])
        return failure(I3D_EFORMAT, "'%s' or its bias has not the shape of Caffe's GoogLeNet",
                       out->weight->name);
    out->inputs = (size_t)shape[1];
    out->width = map ? (size_t)shape[3] : 1;
out:
    return status;
}

static double weight_at(const struct layer *layer, size_t o, size_t i, size_t y, size_t x)
{
    size_t index = ((o * layer->inputs + i) * layer->width + y) * layer->width + x;
    return i3d_tensor_get(layer->weight, index);
}

/* How much of Caffe's input channel `from` is in our channel `to` of `channels`. */
static double input_mix(int channels, size_t to, size_t from)
{
    if (channels == 3)
        return to == 2 - from ? half_range : 0;
    return half_range / 3;
}

/* The weight of the first layer for our input; see i3d_model_inflate(). */
static double stem_at(const struct layer *layer, int channels, size_t o, size_t i, size_t y,
                      size_t x)
{
    double sum = 0;
    for (size_t from = 0; from < 3; from++)
        sum += input_mix(channels, i, from) * weight_at(layer, o, from, y, x);
    return sum;
}

static i3d_status inflate_weight(const struct layer *layer, const i3d_param *param, bool stem,
                                 float *out)
{
    size_t outputs = (size_t)param->shape[0], inputs = (size_t)param->shape[1];
    size_t length = (size_t)param->shape[2], width = (size_t)param->shape[4];
    if (layer->inputs != (stem ? 3 : inputs) || layer->width < width ||
        (layer->width - width) % 2 != 0)
        return failure(I3D_EFORMAT, "'%s' has not the shape of Caffe's GoogLeNet",
                       layer->weight->name);
    size_t skip = (layer->width - width) / 2;
    for (size_t o = 0; o < outputs; o++)
        for (size_t i = 0; i < inputs; i++)
            for (size_t k = 0; k < length * width * width; k++) {
                size_t y = k / width % width + skip, x = k % width + skip;
                double value =
                    stem ? stem_at(layer, (int)inputs, o, i, y, x) : weight_at(layer, o, i, y, x);
                *out++ = (float)(value / (double)length);
            }
    return I3D_OK;
}

/* The bias, and of the first layer what its input's other origin adds: sum W (127.5 - mean). */
static void inflate_bias(const struct layer *layer, bool shift, float *out)
{
    size_t outputs = (size_t)layer->bias->shape[0];
    for (size_t o = 0; o < outputs; o++) {
        double sum = i3d_tensor_get(layer->bias, o);
        for (size_t k = 0; shift && k < 3 * layer->width * layer->width; k++) {
            size_t i = k / (layer->width * layer->width), y = k / layer->width % layer->width;
            sum += weight_at(layer, o, i, y, k % layer->width) * (half_range - mean_bgr[i]);
        }
        out[o] = (float)sum;
    }
}

static i3d_status inflate_param(const i3d_weights *googlenet, const i3d_param *param, int channels,
                                float *out)
{
    struct layer layer;
    bool stem = strcmp(place_of(param).unit, "Conv3d_1a_7x7") == 0;
    i3d_status status;
    TRY(find_layer(googlenet, param, &layer));
    switch (param->role) {
    case I3D_PARAM_WEIGHT:
        return inflate_weight(&layer, param, stem, out);
    case I3D_PARAM_BIAS:
    case I3D_PARAM_BETA:
        inflate_bias(&layer, stem && channels == 3, out);
        break;
    case I3D_PARAM_VARIANCE:
        for (size_t i = 0; i < param->count; i++)
            out[i] = (float)(1 - bn_epsilon);
        break;
    case I3D_PARAM_GAMMA: /* one and zero, as a new model has them */
    case I3D_PARAM_MEAN:
        break;
    }
out:
    return status;
}

bool weights_are_googlenet(const i3d_weights *weights)
{
    return i3d_weights_find(weights, "conv1/7x7_s2/weight") &&
           i3d_weights_find(weights, "inception_3a/pool_proj/weight");
}

i3d_status i3d_model_inflate(const i3d_weights *googlenet, int channels, i3d_model **out)
{
    i3d_model_options options = { .channels = channels, .bn_epsilon = bn_epsilon };
    i3d_model *model = NULL;
    i3d_status status = I3D_OK;
    *out = NULL;
    if (channels != 3 && channels != 2)
        return failure(I3D_EINVAL, "cannot inflate to %d channels: give 3 (rgb) or 2 (flow)",
                       channels);
    const i3d_tensor *classifier = i3d_weights_find(googlenet, "loss3/classifier/bias");
    if (!classifier || classifier->rank != 1 || classifier->shape[0] > 1 << 20)
        return failure(I3D_EFORMAT, "the weights lack 'loss3/classifier/bias', or it is no bias: "
                                    "they are not those of Caffe's GoogLeNet");
    options.classes = (int)classifier->shape[0];
    TRY(i3d_model_create(&options, &model));
    for (size_t p = 0; p < i3d_model_param_count(model); p++) {
        const i3d_param *param = i3d_model_param(model, p);
        TRY(inflate_param(googlenet, param, channels, i3d_model_data(model) + param->offset));
    }
    *out = model;
    model = NULL;
out:
    i3d_model_free(model);
    return status;
}
