/* The engine's own kernels on blocked activations [N, C / lanes, t, h, w, lanes] of float32 or
 * bfloat16, whose last block is filled up with zeroes: pools, batch norm with ReLU, changes of
 * layout. One template, compiled for each instruction set, is a table of functions; the plan picks
 * one table.
 *
 * Loops are shared by an OpenMP team, as oneDNN's are. What is summed is summed in an order that
 * does not depend on the team's size. */
#ifndef I3D_ENGINE_CPU_KERNELS_H
#define I3D_ENGINE_CPU_KERNELS_H

#include "model/graph.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The channels of an activation that one operation reads or writes. */
struct slice {
    void *data;    /* first channel of the slice in the first sample */
    size_t sample; /* elements from one sample to the next */
    size_t map;    /* positions of a sample, t * h * w */
    int channels;
};

/* A batch norm: y = max(0, (x - mean) * scale + shift), all of whole blocks of channels; where
 * there is no channel they are 0. */
struct norm_factors {
    float *mean, *variance; /* of the batch (biased) or the running ones */
    float *scale;           /* gamma / sqrt(variance + epsilon) */
    float *shift;           /* beta */
};

/* What backward() finds out about a batch norm, of whole blocks too: sums over all positions of the
 * gradient where the ReLU let it through, and of its product with x - mean. */
struct norm_sums {
    float *gradient, *product;
};

/* Positions whose sums are one item of work; their partial sums need norm_scratch_bytes(). */
enum { NORM_CHUNK = 512 };

static inline size_t norm_scratch_bytes(int samples, int channels, size_t map)
{
    size_t chunks = (map + NORM_CHUNK - 1) / NORM_CHUNK, whole = ((size_t)channels + 15) / 16 * 16;
    return (size_t)samples * chunks * whole * 2 * sizeof(float);
}

struct kernels {
    int lanes;
    size_t element; /* bytes */

    /* Planes [height, width] of float32 to elements. What an element is off by is added to the one
     * below it, so that a window of a convolution sees little of it (error diffusion). */
    void (*convert)(size_t planes, size_t height, size_t width, const float *from, void *to);

    /* Row-major float32 [count, C, t, h, w] to blocked, and back. */
    void (*pack)(int count, const float *from, struct slice to);
    void (*unpack)(int count, struct slice from, float *to);

    /* to[i] += from[i]; a multiple of the lanes. */
    void (*add)(size_t elements, const void *from, void *to);

    /* Maximum pool. `winner` (NULL: not wanted) [count, C / lanes, t, h, w, lanes] of the output
     * gets the number of the maximum in its window, the first in (t, h, w) order of equals. */
    void (*pool)(const struct op *op, int count, struct slice in, struct slice out,
                 uint8_t *winner);
    /* `add`: on top of what is in `in_gradient`. */
    void (*pool_backward)(const struct op *op, int count, const uint8_t *winner,
                          struct slice out_gradient, struct slice in_gradient, bool add);

    /* Mean and biased variance of `count` samples. */
    void (*norm_measure)(int count, struct slice in, float *scratch, struct norm_factors norm);
    /* Of `samples` samples those from `count` on become 0. */
    void (*norm_apply)(int count, int samples, struct slice in, struct norm_factors norm,
                       struct slice out);
    void (*norm_sum)(int count, struct slice in, struct slice out_gradient, float *scratch,
                     struct norm_factors norm, struct norm_sums out);
    /* Puts the gradient of `in` in its place. With `sums`, of `elements` of a channel, the mean and
     * variance were those of the batch, NULL: constants. */
    void (*norm_backward)(int count, int samples, struct slice out_gradient,
                          struct norm_factors norm, const struct norm_sums *sums, double elements,
                          double epsilon, struct slice in);
};

extern const struct kernels kernels_f32_plain, kernels_f32_avx2, kernels_f32_avx512,
    kernels_bf16_avx512;

#endif
