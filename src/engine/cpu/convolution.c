#include "engine/cpu/convolution.h"

#include "base/failure.h"
#include "base/memory.h"
#include "engine/arena.h"

#include <math.h>

static i3d_status choose(struct convolution *convolution, enum pass pass)
{
    const struct convolution_shape *shape = &convolution->shape;
    for (int i = 0; providers[i]; i++) {
        void *state;
        i3d_status status = providers[i]->create(shape, pass, &state);
        if (status != I3D_OK)
            return failure_prefix(status, "'%s': ", shape->op->name);
        convolution->passes[pass].provider = state ? providers[i] : NULL;
        convolution->passes[pass].state = state;
        if (state)
            return I3D_OK;
    }
    return failure(I3D_EUNSUPPORTED,
                   "the cpu engine cannot run '%s' here: choose the reference engine",
                   shape->op->name);
}

i3d_status convolution_create(const struct convolution_shape *shape, const bool wanted[PASS_COUNT],
                              struct convolution *out)
{
    i3d_status status = I3D_OK;
    *out = (struct convolution){ .shape = *shape };
    if (shape->fused)
        TRY(memory_get((size_t)shape->op->channels, sizeof *out->bias, &out->bias));
    for (enum pass pass = 0; pass < PASS_COUNT; pass++)
        if (wanted[pass])
            TRY(choose(out, pass));
out:
    return status;
}

i3d_status convolution_take(struct convolution *convolution)
{
    i3d_status status = I3D_OK;
    for (enum pass pass = 0; pass < PASS_COUNT; pass++) {
        const struct provider *provider = convolution->passes[pass].provider;
        if (provider)
            TRY(provider->take(convolution->passes[pass].state));
    }
out:
    return status;
}

void convolution_clear(struct convolution *convolution)
{
    for (enum pass pass = 0; pass < PASS_COUNT; pass++)
        if (convolution->passes[pass].provider)
            convolution->passes[pass].provider->free(convolution->passes[pass].state);
    memory_free(convolution->bias);
    *convolution = (struct convolution){ 0 };
}

static struct convolution_bytes bytes_of(const struct convolution *convolution, enum pass pass)
{
    const struct provider *provider = convolution->passes[pass].provider;
    return provider ? provider->bytes(convolution->passes[pass].state)
                    : (struct convolution_bytes){ 0 };
}

/* In front of what the passes need: the weights with the norm in them. */
static size_t folded_bytes(const struct convolution *convolution)
{
    return convolution->shape.fused
               ? round_up(op_weight_floats(convolution->shape.op) * sizeof(float))
               : 0;
}

size_t convolution_load_bytes(const struct convolution *convolution)
{
    size_t load = 0;
    for (enum pass pass = 0; pass < PASS_COUNT; pass++)
        load = larger(load, bytes_of(convolution, pass).load);
    return folded_bytes(convolution) + load;
}

size_t convolution_held_bytes(const struct convolution *convolution)
{
    size_t held = 0;
    for (enum pass pass = 0; pass < PASS_COUNT; pass++)
        held += bytes_of(convolution, pass).held;
    return held;
}

size_t convolution_run_bytes(const struct convolution *convolution, enum pass pass)
{
    return bytes_of(convolution, pass).run;
}

/* The batch norm of running statistics is a scale and a shift of the convolution's result. A ReLU
 * would hide a NaN, so it is refused here. */
static i3d_status fold(const struct convolution *convolution,
                       const struct convolution_params *params, float *scaled)
{
    const struct op *op = convolution->shape.op;
    size_t count = op_weight_floats(op) / (size_t)op->channels;
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

i3d_status convolution_load(struct convolution *convolution,
                            const struct convolution_params *params, void *scratch)
{
    const float *weight = params->weight;
    char *rest = (char *)scratch + folded_bytes(convolution);
    i3d_status status = I3D_OK;
    if (convolution->shape.fused) {
        TRY(fold(convolution, params, scratch));
        weight = scratch;
    }
    for (enum pass pass = 0; pass < PASS_COUNT; pass++) {
        const struct provider *provider = convolution->passes[pass].provider;
        if (provider)
            TRY(provider->load(convolution->passes[pass].state, weight, convolution->bias, rest));
    }
out:
    return status;
}

i3d_status convolution_run(struct convolution *convolution, enum pass pass, const void *a,
                           const void *b, void *out, void *scratch)
{
    return convolution->passes[pass].provider->run(convolution->passes[pass].state, a, b, out,
                                                   scratch);
}
