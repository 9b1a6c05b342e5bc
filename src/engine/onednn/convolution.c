#include "engine/onednn/convolution.h"

#include "base/failure.h"
#include "base/memory.h"
#include "tensor/half.h"

#include <math.h>

static size_t round_up(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static size_t tap_count(const struct op *op)
{
    return (size_t)op->kernel[0] * (size_t)op->kernel[1] * (size_t)op->kernel[2];
}

static size_t weight_count(const struct op *op)
{
    return (size_t)op->channels * (size_t)op->in_channels * tap_count(op);
}

static i3d_status create_weighted(struct device *device, const struct convolution_shape *shape,
                                  enum pass pass, const struct primitive *forward,
                                  struct weighted *out)
{
    i3d_status status;
    TRY(primitive_convolution(device, shape, pass, forward, &out->run));
    TRY(primitive_reorder(device, SLOT_WEIGHTS, NULL, out->run, &out->pack));
    TRY(memory_get(primitive_bytes(out->run, SLOT_WEIGHTS), 1, &out->weights));
out:
    return status;
}

static void clear_weighted(struct weighted *weighted)
{
    primitive_free(weighted->run);
    primitive_free(weighted->pack);
    memory_free(weighted->weights);
}

/* Where oneDNN has nothing good for our layout of activations, it has for another. */
static i3d_status create_backward_weights(struct device *device,
                                          const struct convolution_shape *shape,
                                          struct convolution *out)
{
    struct convolution_shape any = *shape;
    struct primitive *forward = out->forward.run;
    any.any = true;
    i3d_status status;
    TRY(primitive_convolution(device, shape, PASS_BACKWARD_WEIGHTS, forward,
                              &out->backward_weights));
    if (primitive_is_slow(out->backward_weights)) {
        primitive_free(out->backward_weights);
        TRY(primitive_convolution(device, &any, PASS_BACKWARD_WEIGHTS, forward,
                                  &out->backward_weights));
        TRY(primitive_reorder(device, SLOT_SRC, forward, out->backward_weights, &out->pack_src));
        TRY(primitive_reorder(device, SLOT_DST, forward, out->backward_weights, &out->pack_dst));
    }
    TRY(primitive_reorder(device, SLOT_WEIGHTS, out->backward_weights, NULL,
                          &out->unpack_gradient));
out:
    return status;
}

i3d_status convolution_create(struct device *device, const struct convolution_shape *shape,
                              bool backward_data, bool backward_weights, struct convolution *out)
{
    struct convolution_shape plain = *shape;
    i3d_status status;
    plain.fused = false;
    *out = (struct convolution){ .shape = *shape };
    out->shape.adds = shape->fused && shape->bf16 && tap_count(shape->op) == 1;
    TRY(create_weighted(device, &out->shape, PASS_FORWARD, NULL, &out->forward));
    if (out->shape.adds)
        TRY(create_weighted(device, &plain, PASS_FORWARD, NULL, &out->rest));
    if (shape->fused)
        TRY(memory_get((size_t)shape->op->channels, sizeof *out->bias, &out->bias));
    if (backward_data)
        TRY(create_weighted(device, &plain, PASS_BACKWARD_DATA, out->forward.run,
                            &out->backward_data));
    if (backward_weights)
        TRY(create_backward_weights(device, &plain, out));
out:
    return status;
}

void convolution_clear(struct convolution *convolution)
{
    clear_weighted(&convolution->forward);
    clear_weighted(&convolution->rest);
    clear_weighted(&convolution->backward_data);
    primitive_free(convolution->backward_weights);
    primitive_free(convolution->unpack_gradient);
    primitive_free(convolution->pack_src);
    primitive_free(convolution->pack_dst);
    memory_free(convolution->bias);
    *convolution = (struct convolution){ 0 };
}

static size_t scratch_bytes(const struct primitive *primitive)
{
    return primitive ? round_up(primitive_bytes(primitive, SLOT_SCRATCH)) : 0;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

size_t convolution_load_bytes(const struct convolution *convolution)
{
    size_t scaled = convolution->shape.fused ? weight_count(convolution->shape.op) : 0;
    size_t pack = larger(scratch_bytes(convolution->forward.pack),
                         larger(scratch_bytes(convolution->rest.pack),
                                scratch_bytes(convolution->backward_data.pack)));
    return round_up(scaled * sizeof(float)) + pack;
}

/* Where the parts of what backward_weights needs for a while begin. */
struct parts {
    size_t src, dst, rest, bytes; /* the gradient in its format is the first */
};

static struct parts split_scratch(const struct convolution *convolution)
{
    const struct primitive *pass = convolution->backward_weights;
    const struct primitive *all[] = { pass, convolution->unpack_gradient, convolution->pack_src,
                                      convolution->pack_dst };
    struct parts parts = { .src = round_up(primitive_bytes(pass, SLOT_WEIGHTS)) };
    parts.dst = parts.src;
    if (convolution->pack_src)
        parts.dst += round_up(primitive_bytes(pass, SLOT_SRC));
    parts.rest = parts.dst;
    if (convolution->pack_dst)
        parts.rest += round_up(primitive_bytes(pass, SLOT_DST));
    for (int i = 0; i < 4; i++)
        parts.bytes = larger(parts.bytes, parts.rest + scratch_bytes(all[i]));
    return parts;
}

size_t convolution_pass_bytes(const struct convolution *convolution, enum pass pass)
{
    if (pass == PASS_FORWARD)
        return larger(scratch_bytes(convolution->forward.run),
                      scratch_bytes(convolution->rest.run));
    if (pass == PASS_BACKWARD_DATA)
        return scratch_bytes(convolution->backward_data.run);
    return convolution->backward_weights ? split_scratch(convolution).bytes : 0;
}

size_t convolution_bytes(const struct convolution *convolution)
{
    const struct weighted *all[] = { &convolution->forward, &convolution->rest,
                                     &convolution->backward_data };
    size_t bytes = 0;
    for (int i = 0; i < 3; i++)
        if (all[i]->run)
            bytes += primitive_bytes(all[i]->run, SLOT_WEIGHTS);
    return bytes;
}

/* The batch norm of running statistics is a scale and a shift of the convolution's result. oneDNN's
 * ReLU would hide a NaN, so it is refused here. */
static i3d_status fold(const struct convolution *convolution,
                       const struct convolution_params *params, float *scaled)
{
    const struct op *op = convolution->shape.op;
    size_t count = weight_count(op) / (size_t)op->channels;
    bool finite = true;
#pragma omp parallel for schedule(static) reduction(&& : finite)
    for (int c = 0; c < op->channels; c++) {
        double scale = params->gamma[c] / sqrt(params->variance[c] + params->epsilon);
        convolution->bias[c] = (float)(params->beta[c] - params->mean[c] * scale);
        finite = finite && isfinite(convolution->bias[c]);
        for (size_t i = (size_t)c * count; i < ((size_t)c + 1) * count; i++) {
            scaled[i] = (float)(params->weight[i] * scale);
            finite = finite && isfinite(scaled[i]);
        }
    }
    if (finite)
        return I3D_OK;
    return failure(I3D_EFORMAT, "a parameter of '%s' is not a finite number: load other weights",
                   op->name);
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
    size_t inputs = (size_t)op->in_channels, taps = tap_count(op);
#pragma omp parallel for schedule(static)
    for (int c = 0; c < op->channels; c++) {
        float *windows = weights + (size_t)c * inputs * taps, error = 0;
        for (size_t i = 0; i < inputs; i++)
            error = diffuse_window(op->kernel, windows + i * taps, error);
    }
}

static void leave_rest(const struct op *op, float *weights)
{
    for (size_t i = 0; i < weight_count(op); i++)
        weights[i] -= rounded(weights[i]);
}

static i3d_status run_reorder(struct primitive *reorder, const void *from, void *to, void *scratch)
{
    return primitive_run(
        reorder, (void *const[SLOT_COUNT]){
                     [SLOT_SRC] = (void *)from, [SLOT_DST] = to, [SLOT_SCRATCH] = scratch });
}

static i3d_status load(struct weighted *weighted, const float *weight, void *scratch)
{
    return run_reorder(weighted->pack, weight, weighted->weights, scratch);
}

i3d_status convolution_load(struct convolution *convolution,
                            const struct convolution_params *params, void *scratch)
{
    const struct convolution_shape *shape = &convolution->shape;
    const float *weight = params->weight;
    char *behind = scratch;
    i3d_status status;
    if (shape->fused) {
        TRY(fold(convolution, params, scratch));
        weight = scratch;
        behind += round_up(weight_count(shape->op) * sizeof *weight);
        if (shape->bf16 && !shape->adds)
            diffuse(shape->op, scratch);
    }
    TRY(load(&convolution->forward, weight, behind));
    if (shape->adds) {
        leave_rest(shape->op, scratch);
        TRY(load(&convolution->rest, weight, behind));
    }
    if (convolution->backward_data.run)
        TRY(load(&convolution->backward_data, weight, behind));
out:
    return status;
}

static i3d_status run_weighted(const struct weighted *weighted, const void *src, const float *bias,
                               void *dst, void *scratch)
{
    return primitive_run(weighted->run,
                         (void *const[SLOT_COUNT]){ [SLOT_SRC] = (void *)src,
                                                    [SLOT_WEIGHTS] = weighted->weights,
                                                    [SLOT_BIAS] = (void *)bias,
                                                    [SLOT_DST] = dst,
                                                    [SLOT_SCRATCH] = scratch });
}

i3d_status convolution_forward(struct convolution *convolution, const void *in, void *out,
                               void *scratch)
{
    i3d_status status;
    if (convolution->shape.adds)
        TRY(run_weighted(&convolution->rest, in, NULL, out, scratch));
    TRY(run_weighted(&convolution->forward, in, convolution->bias, out, scratch));
out:
    return status;
}

i3d_status convolution_backward_data(struct convolution *convolution, const void *out_gradient,
                                     void *in_gradient, void *scratch)
{
    return run_weighted(&convolution->backward_data, in_gradient, NULL, (void *)out_gradient,
                        scratch);
}

i3d_status convolution_backward_weights(struct convolution *convolution, const void *in,
                                        const void *out_gradient, float *weight_gradient,
                                        void *scratch)
{
    struct parts parts = split_scratch(convolution);
    char *gradient = scratch, *rest = gradient + parts.rest;
    i3d_status status;
    if (convolution->pack_src) {
        TRY(run_reorder(convolution->pack_src, in, gradient + parts.src, rest));
        TRY(run_reorder(convolution->pack_dst, out_gradient, gradient + parts.dst, rest));
        in = gradient + parts.src;
        out_gradient = gradient + parts.dst;
    }
    TRY(primitive_run(convolution->backward_weights,
                      (void *const[SLOT_COUNT]){ [SLOT_SRC] = (void *)in,
                                                 [SLOT_WEIGHTS] = gradient,
                                                 [SLOT_DST] = (void *)out_gradient,
                                                 [SLOT_SCRATCH] = rest }));
    TRY(run_reorder(convolution->unpack_gradient, gradient, weight_gradient, rest));
out:
    return status;
}
