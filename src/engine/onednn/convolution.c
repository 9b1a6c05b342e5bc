#include "engine/onednn/convolution.h"

#include "base/failure.h"
#include "base/memory.h"

#include <math.h>

static size_t round_up(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static size_t weight_count(const struct op *op)
{
    return (size_t)op->channels * (size_t)op->in_channels * (size_t)op->kernel[0] *
           (size_t)op->kernel[1] * (size_t)op->kernel[2];
}

/* A primitive that reads weights, the weights it reads and the reorder that makes them. */
static i3d_status create_weights(struct device *device, const struct primitive *reader,
                                 struct primitive **pack, void *weights)
{
    i3d_status status;
    TRY(primitive_reorder(device, SLOT_WEIGHTS, NULL, reader, pack));
    TRY(memory_get(primitive_bytes(reader, SLOT_WEIGHTS), 1, weights));
out:
    return status;
}

/* Where oneDNN has nothing good for our layout of activations, it has for another. */
static i3d_status create_backward_weights(struct device *device,
                                          const struct convolution_shape *shape,
                                          struct convolution *out)
{
    struct convolution_shape any = *shape;
    struct primitive *forward = out->forward;
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
    TRY(primitive_convolution(device, shape, PASS_FORWARD, NULL, &out->forward));
    TRY(create_weights(device, out->forward, &out->pack_forward, &out->forward_weights));
    if (shape->fused)
        TRY(memory_get((size_t)shape->op->channels, sizeof *out->bias, &out->bias));
    if (backward_data) {
        TRY(primitive_convolution(device, &plain, PASS_BACKWARD_DATA, out->forward,
                                  &out->backward_data));
        TRY(create_weights(device, out->backward_data, &out->pack_backward, &out->turned_weights));
    }
    if (backward_weights)
        TRY(create_backward_weights(device, &plain, out));
out:
    return status;
}

void convolution_clear(struct convolution *convolution)
{
    primitive_free(convolution->forward);
    primitive_free(convolution->backward_data);
    primitive_free(convolution->backward_weights);
    primitive_free(convolution->pack_forward);
    primitive_free(convolution->pack_backward);
    primitive_free(convolution->unpack_gradient);
    primitive_free(convolution->pack_src);
    primitive_free(convolution->pack_dst);
    memory_free(convolution->forward_weights);
    memory_free(convolution->turned_weights);
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
    return round_up(scaled * sizeof(float)) + larger(scratch_bytes(convolution->pack_forward),
                                                     scratch_bytes(convolution->pack_backward));
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
        return scratch_bytes(convolution->forward);
    if (pass == PASS_BACKWARD_DATA)
        return scratch_bytes(convolution->backward_data);
    return convolution->backward_weights ? split_scratch(convolution).bytes : 0;
}

size_t convolution_bytes(const struct convolution *convolution)
{
    size_t bytes = primitive_bytes(convolution->forward, SLOT_WEIGHTS);
    if (convolution->backward_data)
        bytes += primitive_bytes(convolution->backward_data, SLOT_WEIGHTS);
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

static i3d_status run_reorder(struct primitive *reorder, const void *from, void *to, void *scratch)
{
    return primitive_run(
        reorder, (void *const[SLOT_COUNT]){
                     [SLOT_SRC] = (void *)from, [SLOT_DST] = to, [SLOT_SCRATCH] = scratch });
}

i3d_status convolution_load(struct convolution *convolution,
                            const struct convolution_params *params, void *scratch)
{
    const float *weight = params->weight;
    char *rest = scratch;
    i3d_status status;
    if (convolution->shape.fused) {
        TRY(fold(convolution, params, scratch));
        weight = scratch;
        rest += round_up(weight_count(convolution->shape.op) * sizeof *weight);
    }
    TRY(run_reorder(convolution->pack_forward, weight, convolution->forward_weights, rest));
    if (convolution->pack_backward)
        TRY(run_reorder(convolution->pack_backward, weight, convolution->turned_weights, rest));
out:
    return status;
}

i3d_status convolution_forward(struct convolution *convolution, const void *in, void *out,
                               void *scratch)
{
    return primitive_run(convolution->forward,
                         (void *const[SLOT_COUNT]){ [SLOT_SRC] = (void *)in,
                                                    [SLOT_WEIGHTS] = convolution->forward_weights,
                                                    [SLOT_BIAS] = convolution->bias,
                                                    [SLOT_DST] = out,
                                                    [SLOT_SCRATCH] = scratch });
}

i3d_status convolution_backward_data(struct convolution *convolution, const void *out_gradient,
                                     void *in_gradient, void *scratch)
{
    return primitive_run(convolution->backward_data,
                         (void *const[SLOT_COUNT]){ [SLOT_SRC] = in_gradient,
                                                    [SLOT_WEIGHTS] = convolution->turned_weights,
                                                    [SLOT_DST] = (void *)out_gradient,
                                                    [SLOT_SCRATCH] = scratch });
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
