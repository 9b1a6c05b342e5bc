/* oneDNN's convolutions: they do every pass that its direct kernels can. */
#include "engine/cpu/convolution.h"

#include "base/failure.h"
#include "base/memory.h"
#include "engine/arena.h"
#include "engine/cpu/primitive.h"
#include "tensor/half.h"

#include <string.h>

/* A primitive that reads weights, these as it wants them, and the reorder that makes them. */
struct weighted {
    struct primitive *run, *pack;
    void *weights;
};

/* The forward pass and that to the input's gradient.
 *
 * In bfloat16 a fused 1x1x1 is run twice: `rest` first, with what the rounding of the weights
 * leaves, and `main` on top of it. It has few weights to one result, whose errors do not cancel,
 * and costs little; those of larger kernels are made to cancel. */
struct product {
    struct convolution_shape shape;
    enum pass pass;
    struct weighted main, rest;
    const float *bias;
};

/* The pass to the weights' gradient. Where oneDNN has nothing good for our layout of activations,
 * it has for another: `pack_a` and `pack_b` make that. */
struct gradient {
    struct primitive *run, *unpack, *pack_a, *pack_b;
};

struct pass_state {
    struct device *device;
    struct product product;
    struct gradient gradient; /* of PASS_BACKWARD_WEIGHTS, in place of the product */
};

static i3d_status create_weighted(struct device *device, const struct convolution_shape *shape,
                                  enum pass pass, bool adds, struct weighted *out)
{
    struct primitive_options options = { .adds = adds };
    i3d_status status;
    TRY(primitive_convolution(device, shape, pass, &options, &out->run));
    TRY(primitive_reorder(device, SLOT_WEIGHTS, NULL, out->run, &out->pack));
out:
    return status;
}

static void clear_weighted(struct weighted *weighted)
{
    primitive_free(weighted->run);
    primitive_free(weighted->pack);
    memory_free(weighted->weights);
}

static i3d_status create_product(struct device *device, const struct convolution_shape *shape,
                                 enum pass pass, struct product *out)
{
    struct convolution_shape plain = *shape;
    bool adds = shape->fused && shape->bf16 && op_taps(shape->op) == 1;
    i3d_status status;
    plain.fused = false;
    *out = (struct product){ .shape = *shape, .pass = pass };
    TRY(create_weighted(device, shape, pass, adds, &out->main));
    if (adds)
        TRY(create_weighted(device, &plain, pass, false, &out->rest));
out:
    return status;
}

static i3d_status create_gradient(struct device *device, const struct convolution_shape *shape,
                                  struct gradient *out)
{
    struct primitive *forward = NULL;
    i3d_status status;
    TRY(primitive_convolution(device, shape, PASS_BACKWARD_WEIGHTS,
                              &(struct primitive_options){ 0 }, &out->run));
    if (primitive_is_slow(out->run)) {
        primitive_free(out->run);
        TRY(primitive_convolution(device, shape, PASS_BACKWARD_WEIGHTS,
                                  &(struct primitive_options){ .any = true }, &out->run));
        TRY(primitive_convolution(device, shape, PASS_FORWARD, &(struct primitive_options){ 0 },
                                  &forward));
        TRY(primitive_reorder(device, SLOT_SRC, forward, out->run, &out->pack_a));
        TRY(primitive_reorder(device, SLOT_DST, forward, out->run, &out->pack_b));
    }
    TRY(primitive_reorder(device, SLOT_WEIGHTS, out->run, NULL, &out->unpack));
out:
    primitive_free(forward);
    return status;
}

static void release(void *of)
{
    struct pass_state *state = of;
    if (!state)
        return;
    clear_weighted(&state->product.main);
    clear_weighted(&state->product.rest);
    primitive_free(state->gradient.run);
    primitive_free(state->gradient.unpack);
    primitive_free(state->gradient.pack_a);
    primitive_free(state->gradient.pack_b);
    device_close(state->device);
    memory_free(state);
}

static i3d_status create(const struct convolution_shape *shape, enum pass pass, void **out)
{
    struct pass_state *state = NULL;
    i3d_status status;
    *out = NULL;
    TRY(memory_get(1, sizeof *state, &state));
    TRY(device_open(&state->device));
    if (pass == PASS_BACKWARD_WEIGHTS)
        TRY(create_gradient(state->device, shape, &state->gradient));
    else
        TRY(create_product(state->device, shape, pass, &state->product));
    *out = state;
    state = NULL;
out:
    release(state);
    return status;
}

static size_t scratch_bytes(const struct primitive *primitive)
{
    return primitive ? round_up(primitive_bytes(primitive, SLOT_SCRATCH)) : 0;
}

/* Where the parts of what the gradient needs for a while begin. */
struct parts {
    size_t a, b, rest, bytes; /* the gradient in its format is the first */
};

static struct parts split_scratch(const struct gradient *gradient)
{
    const struct primitive *all[] = { gradient->run, gradient->unpack, gradient->pack_a,
                                      gradient->pack_b };
    struct parts parts = { .a = round_up(primitive_bytes(gradient->run, SLOT_WEIGHTS)) };
    parts.b = parts.a;
    if (gradient->pack_a)
        parts.b += round_up(primitive_bytes(gradient->run, SLOT_SRC));
    parts.rest = parts.b;
    if (gradient->pack_b)
        parts.rest += round_up(primitive_bytes(gradient->run, SLOT_DST));
    for (int i = 0; i < 4; i++)
        parts.bytes = larger(parts.bytes, parts.rest + scratch_bytes(all[i]));
    return parts;
}

static size_t held_bytes(const struct weighted *weighted)
{
    return weighted->run ? primitive_bytes(weighted->run, SLOT_WEIGHTS) : 0;
}

/* In bfloat16 a copy of the weights, to round them in, is in front of what the reorders need. */
static size_t rounded_bytes(const struct product *product)
{
    const struct convolution_shape *shape = &product->shape;
    return shape->fused && shape->bf16 ? round_up(op_weight_floats(shape->op) * sizeof(float)) : 0;
}

static struct convolution_bytes bytes(const void *of)
{
    const struct pass_state *state = of;
    const struct product *product = &state->product;
    if (state->gradient.run)
        return (struct convolution_bytes){ .run = split_scratch(&state->gradient).bytes };
    return (struct convolution_bytes){
        .held = held_bytes(&product->main) + held_bytes(&product->rest),
        .load = rounded_bytes(product) +
                larger(scratch_bytes(product->main.pack), scratch_bytes(product->rest.pack)),
        .run = larger(scratch_bytes(product->main.run), scratch_bytes(product->rest.run))
    };
}

static i3d_status take(void *of)
{
    struct product *product = &((struct pass_state *)of)->product;
    i3d_status status = I3D_OK;
    if (product->main.run)
        TRY(memory_get(held_bytes(&product->main), 1, &product->main.weights));
    if (product->rest.run)
        TRY(memory_get(held_bytes(&product->rest), 1, &product->rest.weights));
out:
    return status;
}

static float rounded(float value)
{
    return bf16_to_float(bf16_from_float(value));
}

/* Rounds a window [t, h, w] to bfloat16, there and back so that each tap follows a neighbour: what
 * one is off by is added to the next (error diffusion). Takes and gives back what is left over. */
static float diffuse_window(const int kernel[3], float *window, float error)
{
    size_t rows = (size_t)kernel[1], columns = (size_t)kernel[2];
    for (size_t row = 0; row < (size_t)kernel[0] * rows; row++) {
        size_t t = row / rows, y = t % 2 ? rows - 1 - row % rows : row % rows;
        float *taps = window + (t * rows + y) * columns;
        for (size_t column = 0; column < columns; column++) {
            float *tap = taps + (row % 2 ? columns - 1 - column : column);
            float wanted = *tap + error;
            *tap = rounded(wanted);
            error = wanted - *tap;
        }
    }
    return error;
}

/* Neighbouring taps see nearly the same: of errors that cancel, little is seen in the sum. */
static void diffuse(const struct op *op, float *weights)
{
    size_t inputs = (size_t)op->in_channels, taps = op_taps(op);
#pragma omp parallel for schedule(static)
    for (int c = 0; c < op->channels; c++) {
        float *windows = weights + (size_t)c * inputs * taps, error = 0;
        for (size_t i = 0; i < inputs; i++)
            error = diffuse_window(op->kernel, windows + i * taps, error);
    }
}

static void leave_rest(const struct op *op, float *weights)
{
    for (size_t i = 0; i < op_weight_floats(op); i++)
        weights[i] -= rounded(weights[i]);
}

static i3d_status run_reorder(struct primitive *reorder, const void *from, void *to, void *scratch)
{
    return primitive_run(reorder,
                         (const void *const[SLOT_COUNT]){
                             [SLOT_SRC] = from, [SLOT_DST] = to, [SLOT_SCRATCH] = scratch });
}

static i3d_status load_weighted(struct weighted *weighted, const float *weight, void *scratch)
{
    return run_reorder(weighted->pack, weight, weighted->weights, scratch);
}

static i3d_status load(void *of, const float *weight, const float *bias, void *scratch)
{
    struct product *product = &((struct pass_state *)of)->product;
    const struct op *op = product->shape.op;
    float *copy = scratch;
    char *rest = (char *)scratch + rounded_bytes(product);
    i3d_status status;
    if (!product->main.run) /* the gradient reads no weights */
        return I3D_OK;
    product->bias = bias;
    if (rounded_bytes(product)) {
        memcpy(copy, weight, op_weight_floats(op) * sizeof *copy);
        weight = copy;
        if (!product->rest.run)
            diffuse(op, copy);
    }
    TRY(load_weighted(&product->main, weight, rest));
    if (product->rest.run) {
        leave_rest(op, copy);
        TRY(load_weighted(&product->rest, copy, rest));
    }
out:
    return status;
}

static i3d_status run_weighted(const struct product *product, const struct weighted *weighted,
                               const void *from, void *to, void *scratch)
{
    bool forward = product->pass == PASS_FORWARD;
    const void *pointers[SLOT_COUNT] = { [SLOT_SRC] = forward ? from : to,
                                         [SLOT_WEIGHTS] = weighted->weights,
                                         [SLOT_BIAS] = product->bias,
                                         [SLOT_DST] = forward ? to : from,
                                         [SLOT_SCRATCH] = scratch };
    return primitive_run(weighted->run, pointers);
}

static i3d_status run_gradient(struct gradient *gradient, const void *a, const void *b, void *out,
                               void *scratch)
{
    struct parts parts = split_scratch(gradient);
    char *packed = scratch, *rest = packed + parts.rest;
    i3d_status status;
    if (gradient->pack_a) {
        TRY(run_reorder(gradient->pack_a, a, packed + parts.a, rest));
        TRY(run_reorder(gradient->pack_b, b, packed + parts.b, rest));
        a = packed + parts.a;
        b = packed + parts.b;
    }
    TRY(primitive_run(
        gradient->run,
        (const void *const[SLOT_COUNT]){
            [SLOT_SRC] = a, [SLOT_WEIGHTS] = packed, [SLOT_DST] = b, [SLOT_SCRATCH] = rest }));
    TRY(run_reorder(gradient->unpack, packed, out, rest));
out:
    return status;
}

static i3d_status run(void *of, const void *a, const void *b, void *out, void *scratch)
{
    struct pass_state *state = of;
    const struct product *product = &state->product;
    i3d_status status;
    if (state->gradient.run)
        return run_gradient(&state->gradient, a, b, out, scratch);
    if (product->rest.run)
        TRY(run_weighted(product, &product->rest, a, out, scratch));
    TRY(run_weighted(product, &product->main, a, out, scratch));
out:
    return status;
}

static const struct primitive *find_primitive(const void *of)
{
    const struct pass_state *state = of;
    return state->gradient.run ? state->gradient.run : state->product.main.run;
}

static const char *kernel(const void *of)
{
    return primitive_implementation(find_primitive(of));
}

static bool is_slow(const void *of)
{
    return primitive_is_slow(find_primitive(of));
}

const struct provider provider_onednn = { .name = "onednn",
                                          .hides_nan = true,
                                          .create = create,
                                          .bytes = bytes,
                                          .take = take,
                                          .load = load,
                                          .run = run,
                                          .kernel = kernel,
                                          .is_slow = is_slow,
                                          .free = release };
