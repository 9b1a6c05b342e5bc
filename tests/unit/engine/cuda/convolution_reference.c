/* The cuda engine's convolutions by the reference engine: channels last to channels first and back
 * around them, and the bias and ReLU behind them. */
#include "engine/cuda/convolution.h"

#include "base/failure.h"
#include "base/memory.h"
#include "engine/reference/conv.h"

#include <string.h>

struct convolver {
    struct team *team;
};

struct convolution {
    struct convolver *convolver;
    struct convolution_shape shape;
    struct op op;
    float *in, *out, *weight, *turned;
    void *scratch[1];
};

/* [outer, map, channels] at a pitch, and float [outer, channels, map]. */
struct layout {
    size_t outer, map, channels, pitch;
    enum element type;
};

static struct layout_args describe(struct layout layout, void *data, float *floats)
{
    return (struct layout_args){ .count = (int)layout.outer,
                                 .map = layout.map,
                                 .floats = floats,
                                 .view = { .data = data,
                                           .type = layout.type,
                                           .channels = (int)layout.channels,
                                           .positions = layout.outer * layout.map,
                                           .pitch = layout.pitch } };
}

static void to_floats(struct layout layout, void *from, float *to)
{
    struct layout_args args = describe(layout, from, to);
    kernel_unpack(NULL, &args);
}

static void from_floats(struct layout layout, float *from, void *to)
{
    struct layout_args args = describe(layout, to, from);
    kernel_pack(NULL, &args);
}

static size_t product(const int size[3])
{
    return (size_t)size[0] * (size_t)size[1] * (size_t)size[2];
}

static struct layout in_layout(const struct convolution_shape *shape)
{
    size_t channels = (size_t)shape->in_channels;
    return (struct layout){ (size_t)shape->samples, product(shape->in), channels, channels,
                            shape->type };
}

static struct layout out_layout(const struct convolution_shape *shape)
{
    return (struct layout){ (size_t)shape->samples, product(shape->out), (size_t)shape->channels,
                            (size_t)shape->out_pitch, shape->type };
}

static struct layout weight_layout(const struct convolution_shape *shape)
{
    size_t channels = (size_t)shape->in_channels;
    return (struct layout){ (size_t)shape->channels, product(shape->kernel), channels, channels,
                            shape->type };
}

static size_t floats_of(struct layout layout)
{
    return layout.outer * layout.map * layout.channels;
}

static struct maps maps_of(struct layout layout, float *data)
{
    return (struct maps){ .data = data, .sample = layout.map * layout.channels, .map = layout.map };
}

i3d_status convolver_create(struct card *card, const struct convolver_options *options,
                            struct convolver **out)
{
    (void)card;
    (void)options;
    i3d_status status;
    TRY(memory_get(1, sizeof **out, out));
    TRY(team_create(1, &(*out)->team));
    return I3D_OK;
out:
    convolver_free(*out);
    *out = NULL;
    return status;
}

void convolver_free(struct convolver *convolver)
{
    if (!convolver)
        return;
    team_free(convolver->team);
    memory_free(convolver);
}

static i3d_status get_buffers(struct convolution *convolution)
{
    const struct convolution_shape *shape = &convolution->shape;
    size_t weights = floats_of(weight_layout(shape));
    i3d_status status;
    TRY(memory_get(floats_of(in_layout(shape)), sizeof(float), &convolution->in));
    TRY(memory_get(floats_of(out_layout(shape)), sizeof(float), &convolution->out));
    TRY(memory_get(weights, sizeof(float), &convolution->weight));
    TRY(memory_get(weights, sizeof(float), &convolution->turned));
    TRY(memory_get(conv_scratch_bytes(&convolution->op), 1, &convolution->scratch[0]));
out:
    return status;
}

i3d_status convolver_plan(struct convolver *convolver, const struct convolution_shape *shape,
                          struct convolution **out)
{
    struct convolution *convolution;
    i3d_status status;
    *out = NULL;
    TRY(memory_get(1, sizeof *convolution, &convolution));
    convolution->convolver = convolver;
    convolution->shape = *shape;
    struct op *op = &convolution->op;
    op->in_channels = shape->in_channels;
    op->channels = shape->channels;
    memcpy(op->kernel, shape->kernel, sizeof op->kernel);
    memcpy(op->stride, shape->stride, sizeof op->stride);
    memcpy(op->front, shape->front, sizeof op->front);
    memcpy(op->back, shape->back, sizeof op->back);
    memcpy(op->size_in, shape->in, sizeof op->size_in);
    memcpy(op->size_out, shape->out, sizeof op->size_out);
    status = get_buffers(convolution);
    if (status == I3D_OK)
        *out = convolution;
    else
        convolver_release(convolution);
out:
    return status;
}

void convolver_rest(struct convolver *convolver)
{
    (void)convolver;
}

size_t convolver_workspace(const struct convolution *convolution)
{
    return convolution->shape.pass == CONVOLUTION_FORWARD ? 1 : 1000; /* of some size */
}

float convolver_milliseconds(const struct convolution *convolution)
{
    (void)convolution;
    return 0;
}

static void end_forward(struct convolution *convolution, void *bias)
{
    struct layout layout = out_layout(&convolution->shape);
    float *out = convolution->out, *biases = convolution->turned;
    if (convolution->shape.biased)
        to_floats((struct layout){ 1, 1, layout.channels, layout.channels, layout.type }, bias,
                  biases);
    for (size_t o = 0; o < layout.outer; o++)
        for (size_t c = 0; c < layout.channels; c++)
            for (size_t m = 0; m < layout.map; m++, out++) {
                if (convolution->shape.biased)
                    *out += biases[c];
                if (convolution->shape.relu && *out < 0)
                    *out = 0;
            }
}

/* [outs, ins, taps] -> [ins, outs, taps]. */
static void turn(struct convolution *convolution)
{
    const struct convolution_shape *shape = &convolution->shape;
    size_t outs = (size_t)shape->channels, ins = (size_t)shape->in_channels;
    size_t taps = product(shape->kernel);
    for (size_t o = 0; o < outs; o++)
        for (size_t i = 0; i < ins; i++)
            memcpy(convolution->turned + (i * outs + o) * taps,
                   convolution->weight + (o * ins + i) * taps, taps * sizeof(float));
}

i3d_status convolver_run(struct convolution *convolution,
                         const struct convolution_operands *operands)
{
    const struct convolution_shape *shape = &convolution->shape;
    struct layout in = in_layout(shape), out = out_layout(shape), weight = weight_layout(shape);
    struct maps in_maps = maps_of(in, convolution->in), out_maps = maps_of(out, convolution->out);
    struct conv conv = { .op = &convolution->op,
                         .count = shape->samples,
                         .team = convolution->convolver->team,
                         .scratch = convolution->scratch };
    i3d_status status = I3D_OK;
    switch (shape->pass) {
    case CONVOLUTION_FORWARD:
        to_floats(in, operands->in, convolution->in);
        to_floats(weight, operands->weight, convolution->weight);
        TRY(conv_f32.forward(&conv, in_maps, convolution->weight, out_maps));
        end_forward(convolution, operands->bias);
        from_floats(out, convolution->out, operands->out);
        break;
    case CONVOLUTION_DATA:
        to_floats(out, operands->out, convolution->out);
        to_floats(weight, operands->weight, convolution->weight);
        turn(convolution);
        memset(convolution->in, 0, floats_of(in) * sizeof(float));
        TRY(conv_f32.backward_data(&conv, out_maps, convolution->turned, in_maps));
        from_floats(in, convolution->in, operands->in);
        break;
    case CONVOLUTION_WEIGHT:
        to_floats(in, operands->in, convolution->in);
        to_floats(out, operands->out, convolution->out);
        TRY(conv_f32.backward_weight(&conv, in_maps, out_maps, convolution->weight));
        from_floats(weight, convolution->weight, operands->weight);
        break;
    }
    memset(operands->workspace, 0x7f, convolver_workspace(convolution)); /* it may be written */
out:
    return status;
}

void convolver_release(struct convolution *convolution)
{
    if (!convolution)
        return;
    memory_free(convolution->in);
    memory_free(convolution->out);
    memory_free(convolution->weight);
    memory_free(convolution->turned);
    memory_free(convolution->scratch[0]);
    memory_free(convolution);
}
