/* One convolution of a plan. Each of its passes is done by the first provider that can: one
 * provider is oneDNN, others are kernels of our own. */
#ifndef I3D_ENGINE_CPU_CONVOLUTION_H
#define I3D_ENGINE_CPU_CONVOLUTION_H

#include <i3d/status.h>

#include "engine/cpu/isa.h"
#include "model/graph.h"

#include <stdbool.h>
#include <stddef.h>

enum pass { PASS_FORWARD, PASS_BACKWARD_DATA, PASS_BACKWARD_WEIGHTS, PASS_COUNT };

/* Activations are [samples, C / lanes, t, h, w, lanes], the last block filled up with zeroes. */
struct convolution_shape {
    const struct op *op;
    int samples;
    enum isa isa;
    bool row_major; /* the input is [samples, C, t, h, w] */
    bool bf16;      /* activations and weights; bias and the weights' gradient stay float32 */
    bool fused;     /* forward adds a bias and cuts at 0 */
};

/* Bytes that a pass holds all the time, and that load() and run() need for a while. */
struct convolution_bytes {
    size_t held, load, run;
};

/* What does some passes of some convolutions. `state` is the provider's own, of one pass. */
struct provider {
    const char *name;
    bool hides_nan; /* the ReLU of a fused forward takes a NaN for 0 */

    /* `*out` stays NULL where this is none of the provider's. What it will hold, take() takes, once
     * before load(). */
    i3d_status (*create)(const struct convolution_shape *shape, enum pass pass, void **out);
    struct convolution_bytes (*bytes)(const void *state);
    i3d_status (*take)(void *state);

    /* weight [out, in, kt, kh, kw] in float32, bias [out] where the shape is fused; `scratch` of
     * bytes().load. */
    i3d_status (*load)(void *state, const float *weight, const float *bias, void *scratch);

    /* PASS_FORWARD: `a` is the input, `out` the output. PASS_BACKWARD_DATA: `a` is the output's
     * gradient, `out` the input's, overwritten. PASS_BACKWARD_WEIGHTS: `a` is the input, `b` the
     * output's gradient, `out` the weight's, [out, in, kt, kh, kw] in float32. */
    i3d_status (*run)(void *state, const void *a, const void *b, void *out, void *scratch);

    const char *(*kernel)(const void *state); /* what does the work, for people */
    bool (*is_slow)(const void *state);       /* a last resort */
    void (*free)(void *state);                /* NULL is fine */
};

/* Those built in, the preferred first, NULL at the end. */
extern const struct provider *const providers[];

/* Zeroed memory is no convolution. */
struct convolution {
    struct convolution_shape shape;
    struct {
        const struct provider *provider; /* NULL: the pass is not wanted */
        void *state;
    } passes[PASS_COUNT];
    float *bias; /* [channels], fused only */
};

/* Where the parameters of the operation are now; gamma NULL: only the weights count. */
struct convolution_params {
    const float *weight, *gamma, *beta, *mean, *variance;
    double epsilon;
};

/* `wanted`: which passes there are. convolution_take() takes what they hold. */
i3d_status convolution_create(const struct convolution_shape *shape, const bool wanted[PASS_COUNT],
                              struct convolution *out);
i3d_status convolution_take(struct convolution *convolution);
void convolution_clear(struct convolution *convolution);

/* `load` and `held` of all passes together, `run` of one. */
size_t convolution_load_bytes(const struct convolution *convolution);
size_t convolution_held_bytes(const struct convolution *convolution);
size_t convolution_run_bytes(const struct convolution *convolution, enum pass pass);

/* Of a fused one the batch norm goes into weights and bias; I3D_EFORMAT if one is not finite. */
i3d_status convolution_load(struct convolution *convolution,
                            const struct convolution_params *params, void *scratch);

/* As provider.run. */
i3d_status convolution_run(struct convolution *convolution, enum pass pass, const void *a,
                           const void *b, void *out, void *scratch);

#endif
