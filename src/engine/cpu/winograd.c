/* Our own Winograd convolutions: they do the passes for which bench/convolution_bench found them
 * the fastest. */
#include "engine/cpu/winograd.h"

#include "base/failure.h"
#include "base/memory.h"
#include "engine/cpu/convolution.h"
#include "engine/cpu/winograd_table.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

/* The weights of a fused forward pass are transformed once, of others, which change with each step,
 * when they are used: then they take no more room than they are. */
struct pass_state {
    const struct winograd_kernels *kernels;
    struct winograd winograd;
    enum pass pass;
    bool fused;
    float *weights;       /* transformed if fused */
    float *bias;          /* of whole panels; fused only */
    size_t weight_floats; /* as they are */
    char name[32];
};

static double distance(const struct op *op, const struct measured *row)
{
    double in = (double)op->in_channels / row->in, out = (double)op->channels / row->out;
    double frames = (double)op->size_out[0] / row->size[0];
    double map = (double)op->size_out[1] * op->size_out[2] / (row->size[1] * row->size[2]);
    return fabs(log2(in)) + fabs(log2(out)) + fabs(log2(frames)) + fabs(log2(map));
}

/* The tile that was the best for the most similar convolution that was measured, TILE_COUNT:
 * none. */
static enum winograd_tile choose_tile(const struct convolution_shape *shape, enum pass pass)
{
    double nearest = INFINITY;
    enum winograd_tile tile = TILE_COUNT;
    for (size_t i = 0; i < sizeof measured / sizeof *measured; i++) {
        const struct measured *row = &measured[i];
        double far = distance(shape->op, row);
        if (row->kernel != shape->op->kernel[0] || far >= nearest)
            continue;
        nearest = far;
        tile = pass == PASS_FORWARD && !shape->fused ? row->step : row->best[pass];
    }
    return tile;
}

static bool can(const struct convolution_shape *shape, enum pass pass, enum winograd_tile tile)
{
    bool strided = shape->op->stride[0] == 2;
    return tile != TILE_COUNT && winograd_fits(shape->op, tile) && !shape->bf16 &&
           shape->row_major == strided && !(strided && pass == PASS_BACKWARD_DATA);
}

static void release(void *of)
{
    struct pass_state *state = of;
    if (!state)
        return;
    memory_free(state->weights);
    memory_free(state->bias);
    memory_free(state);
}

static size_t held_floats(const struct pass_state *state)
{
    if (state->pass == PASS_BACKWARD_WEIGHTS)
        return 0;
    return state->fused ? winograd_weight_floats(&state->winograd) : state->weight_floats;
}

static size_t bias_floats(const struct pass_state *state)
{
    return state->fused ? (size_t)state->winograd.panels * 2 * (size_t)state->winograd.lanes : 0;
}

static i3d_status create(const struct convolution_shape *shape, enum pass pass, void **out)
{
    const struct op *op = shape->op;
    enum winograd_tile tile = choose_tile(shape, pass);
    const struct winograd_kernels *kernels = isa_winograd(shape->isa);
    struct pass_state *state = NULL;
    i3d_status status = I3D_OK;
    *out = NULL;
    if (!kernels || !can(shape, pass, tile))
        goto out;
    TRY(memory_get(1, sizeof *state, &state));
    state->kernels = kernels;
    state->winograd = winograd_describe(op, tile, pass == PASS_BACKWARD_DATA, isa_lanes(shape->isa),
                                        shape->samples, omp_get_max_threads());
    state->pass = pass;
    state->fused = shape->fused && pass == PASS_FORWARD;
    state->weight_floats = op_weight_floats(op);
    snprintf(state->name, sizeof state->name, "winograd:%s", winograd_extents[tile].name);
    *out = state;
    state = NULL;
out:
    release(state);
    return status;
}

static size_t run_floats(const struct pass_state *state)
{
    const struct winograd *winograd = &state->winograd;
    if (state->pass == PASS_BACKWARD_WEIGHTS)
        return winograd_weights_scratch_floats(winograd);
    return winograd_scratch_floats(winograd) +
           (state->fused ? 0 : winograd_weight_floats(winograd));
}

static struct convolution_bytes bytes(const void *of)
{
    const struct pass_state *state = of;
    return (struct convolution_bytes){
        .held = (held_floats(state) + bias_floats(state)) * sizeof(float),
        .run = run_floats(state) * sizeof(float),
    };
}

static i3d_status take(void *of)
{
    struct pass_state *state = of;
    i3d_status status;
    TRY(memory_get(held_floats(state), sizeof(float), &state->weights));
    TRY(memory_get(bias_floats(state), sizeof(float), &state->bias));
out:
    return status;
}

static i3d_status load(void *of, const float *weight, const float *bias, void *scratch)
{
    struct pass_state *state = of;
    (void)scratch;
    if (state->pass == PASS_BACKWARD_WEIGHTS)
        return I3D_OK;
    if (state->fused) {
        state->kernels->load(&state->winograd, weight, state->weights);
        memcpy(state->bias, bias, (size_t)state->winograd.channels * sizeof *bias);
    } else {
        memcpy(state->weights, weight, state->weight_floats * sizeof *weight);
    }
    return I3D_OK;
}

static i3d_status run(void *of, const void *a, const void *b, void *out, void *scratch)
{
    const struct pass_state *state = of;
    const struct winograd *winograd = &state->winograd;
    const float *weights = state->weights;
    float *rest = scratch;
    if (state->pass == PASS_BACKWARD_WEIGHTS) {
        state->kernels->run_weights(winograd, a, b, out, scratch);
        return I3D_OK;
    }
    if (!state->fused) {
        state->kernels->load(winograd, weights, rest);
        weights = rest;
        rest += winograd_weight_floats(winograd);
    }
    state->kernels->run(winograd, a, weights, state->fused ? state->bias : NULL, out, rest);
    return I3D_OK;
}

static const char *kernel(const void *of)
{
    return ((const struct pass_state *)of)->name;
}

static bool is_slow(const void *of)
{
    (void)of;
    return false;
}

const struct provider provider_winograd = { .name = "winograd",
                                            .create = create,
                                            .bytes = bytes,
                                            .take = take,
                                            .load = load,
                                            .run = run,
                                            .kernel = kernel,
                                            .is_slow = is_slow,
                                            .free = release };
