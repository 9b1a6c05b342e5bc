/* Convolutions of 3x3x3 taps at stride 1, and of 7x7x7 at stride 2 over few row-major channels, by
 * Winograd's method along all three axes: with an eighth of the multiplications.
 *
 * Along an axis, F(m, r) gives m results of a filter of r taps from m + r - 1 inputs with as many
 * products: taps, inputs and results are polynomials, which are multiplied by their values at
 * m + r - 1 points. Along three axes a tile of m x m x m results has (m + r - 1)^3 points, and at
 * each point all channels of all tiles are one product of matrices. The gradient of the data is the
 * same convolution with turned weights; that of the weights has the same products, summed over
 * tiles.
 *
 * At stride 2 the eight phases of a channel, even and odd along each axis, become eight channels of
 * a convolution at stride 1 with half the taps along each axis.
 *
 * Lavin and Gray, "Fast algorithms for convolutional neural networks", CVPR 2016; in three axes Jia
 * and others, "Optimizing N-dimensional, Winograd-based convolution for manycore CPUs", PPoPP
 * 2018. */
#ifndef I3D_ENGINE_CPU_WINOGRAD_H
#define I3D_ENGINE_CPU_WINOGRAD_H

#include "model/graph.h"

#include <stdbool.h>
#include <stddef.h>

/* Results of a tile along t, h and w; the last two are those of stride 2. The larger one loses four
 * times as much to rounding. */
enum winograd_tile { TILE_2X4X4, TILE_4X4X4, TILE_3X3X3, TILE_3X5X5, TILE_COUNT };

struct winograd_extent {
    const char *name;
    int results[3], taps; /* taps along each axis */
};
extern const struct winograd_extent winograd_extents[TILE_COUNT];

/* What one pass computes, in plain numbers. Of a pass backward to the data "in" is the gradient of
 * the operation's result, and the weights are turned. */
struct winograd {
    enum winograd_tile tile;
    int lanes, threads, samples;
    int in_channels, channels;
    bool turned;
    int kernel[3], front[3], size_in[3], size_out[3];
    int tiles[3], points;
    int depth;  /* channels of a product, phases included, in whole vectors */
    int panels; /* of results: two vectors of channels */
    int block;  /* tiles that are transformed at a time */
};

/* Activations are [samples, C / lanes, t, h, w, lanes], or row-major at stride 2; weights and their
 * gradients [out, in, kt, kh, kw]. Loops are shared by an OpenMP team of at most `threads`. What is
 * summed is summed in an order that depends on `threads` alone, and that of run() not on that. */
struct winograd_kernels {
    int lanes;
    void (*load)(const struct winograd *winograd, const float *weight, float *transformed);
    /* With a bias, of whole panels, also cuts at 0; NULL: neither. */
    void (*run)(const struct winograd *winograd, const float *in, const float *transformed,
                const float *bias, float *out, float *scratch);
    void (*run_weights)(const struct winograd *winograd, const float *in, const float *out_gradient,
                        float *weight_gradient, float *scratch);
};
extern const struct winograd_kernels winograd_plain, winograd_avx2, winograd_avx512;

/* Whether the taps and strides are those of the tile. */
bool winograd_fits(const struct op *op, enum winograd_tile tile);

/* `turned`: the pass backward to the data, stride 1 only. */
struct winograd winograd_describe(const struct op *op, enum winograd_tile tile, bool turned,
                                  int lanes, int samples, int threads);

/* Of weights as load() makes them, and of what a run needs for a while. */
size_t winograd_weight_floats(const struct winograd *winograd);
size_t winograd_scratch_floats(const struct winograd *winograd);
size_t winograd_weights_scratch_floats(const struct winograd *winograd);

/* Tiles whose products stay in the second-level cache. */
enum { WINOGRAD_GROUP = 12 };

/* Floats of a group of transformed tiles at one point, and at all. The odd line keeps points out of
 * each other's places in the cache. */
static inline size_t winograd_point_stride(int channels)
{
    return (size_t)WINOGRAD_GROUP * (size_t)channels + 16;
}

static inline size_t winograd_group_floats(const struct winograd *winograd, int channels)
{
    return (size_t)winograd->points * winograd_point_stride(channels);
}

/* Of all groups of a block. */
static inline size_t winograd_block_floats(const struct winograd *winograd, int channels)
{
    int groups = (winograd->block + WINOGRAD_GROUP - 1) / WINOGRAD_GROUP;
    return (size_t)groups * winograd_group_floats(winograd, channels);
}

#endif
