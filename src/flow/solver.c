#include "flow/solver.h"
#include "base/failure.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

static int stride_for(int width)
{
    return (width + 1 + LANES - 1) / LANES * LANES;
}

/* Ten sections and one cache line more where the number of lines would be even: rows then fall on
 * different sets of the cache. */
static size_t pitch_for(int stride)
{
    return ((size_t)stride * SECTIONS / LANES | 1) * LANES;
}

/* Keys' kernel with parameter a, at `at` in 0..1 between the second and the third tap. */
static void cubic(double a, double at, float out[4])
{
    double x = at + 1, w0 = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
    double w1 = ((a + 2) * at - (a + 3)) * at * at + 1;
    x = 1 - at;
    double w2 = ((a + 2) * x - (a + 3)) * x * x + 1;
    out[0] = (float)w0;
    out[1] = (float)w1;
    out[2] = (float)w2;
    out[3] = (float)(1 - w0 - w1 - w2);
}

static void fill_weights(const i3d_flow_options *options, struct weights *weights)
{
    while (1 << weights->bits < options->subpixels)
        weights->bits++;
    for (int i = 0; i < options->subpixels; i++) {
        cubic(options->cubic, (double)i / options->subpixels, weights->y[i]);
        for (int k = 0; k < 4 * CHANNELS; k++)
            weights->x[i][k] = weights->y[i][k / CHANNELS];
    }
}

i3d_status solver_create(const i3d_flow_options *options, int width, int height, struct solver *out)
{
    i3d_status status;
    size_t stride = (size_t)stride_for(width), w = (size_t)width, h = (size_t)height;
    *out = (struct solver){ .kernels = flow_kernels_best(), .options = options };
    TRY(memory_get(1, sizeof *out->weights, &out->weights));
    TRY(memory_get(h + 1, pitch_for((int)stride) * sizeof(float), &out->field));
    TRY(memory_get(stride, sizeof(float), &out->change));
    TRY(memory_get(3 * w, sizeof(int), &out->warp.offset));
    TRY(memory_get(CHANNELS * w, sizeof(float), &out->warp.sample));
    TRY(memory_get((w + 4) * h, sizeof(int16_t), &out->steps));
    TRY(memory_get(w, sizeof(int16_t), &out->medians));
    TRY(memory_get(5 * (w + 4), sizeof(int16_t), &out->sorted));
    out->warp.at_x = out->warp.offset + w;
    out->warp.at_y = out->warp.offset + 2 * w;
    fill_weights(options, out->weights);
    out->warp.weights = out->weights;
    out->warp.lambda_theta = (float)(options->lambda * options->theta);
out:
    if (status != I3D_OK)
        solver_clear(out);
    return status;
}

void solver_clear(struct solver *solver)
{
    memory_free(solver->weights);
    memory_free(solver->field);
    memory_free(solver->change);
    memory_free(solver->warp.offset);
    memory_free(solver->warp.sample);
    memory_free(solver->steps);
    memory_free(solver->medians);
    memory_free(solver->sorted);
    *solver = (struct solver){ 0 };
}

/* Row y; row -1 is all zeros. */
static float *row_at(const struct solver *solver, int y)
{
    return solver->field + (size_t)(y + 1) * solver->pitch;
}

static struct plane section_plane(const struct solver *solver, enum section section)
{
    return (struct plane){ solver->width, solver->height, solver->pitch,
                           row_at(solver, 0) + (int)section * solver->stride };
}

static void warp(struct solver *solver, const float *grey, const float *taps, float gain)
{
    struct warp_row warp = solver->warp;
    warp.taps = taps;
    warp.gain = gain;
    warp.width = solver->width;
    warp.height = solver->height;
    warp.stride = solver->stride;
    for (warp.y = 0; warp.y < solver->height; warp.y++) {
        warp.grey = grey + (size_t)warp.y * (size_t)solver->width;
        solver->kernels->warp(&warp, row_at(solver, warp.y));
    }
}

/* Steps a pixel: as many as let the plane fit 16 bits. */
static float steps_a_pixel(const struct plane *plane)
{
    float largest = 1;
    for (int y = 0; y < plane->height; y++)
        for (int x = 0; x < plane->width; x++) {
            float size = fabsf(plane->cells[(size_t)y * plane->pitch + (size_t)x]);
            largest = size > largest ? size : largest;
        }
    return 32512 / largest;
}

static void to_steps(const struct plane *plane, float steps, int16_t *out)
{
    int width = plane->width, pitch = width + 4;
    for (int y = 0; y < plane->height; y++) {
        const float *row = plane->cells + (size_t)y * plane->pitch;
        int16_t *to = out + (size_t)y * (size_t)pitch;
        for (int x = 0; x < width; x++)
            to[x + 2] = (int16_t)((row[x] * steps + 12582912.0f) - 12582912.0f);
        to[0] = to[1] = to[2];
        to[width + 2] = to[width + 3] = to[width + 1];
    }
}

/* Median of each window, edges repeated, in 16-bit steps. */
static void median(struct solver *solver, enum section section)
{
    struct plane plane = section_plane(solver, section);
    int window = solver->options->median, last = plane.height - 1;
    float steps = steps_a_pixel(&plane), unit = 1 / steps;

    to_steps(&plane, steps, solver->steps);
    for (int y = 0; y < plane.height; y++) {
        const int16_t *rows[5];
        for (int i = 0; i < window; i++) {
            int at = y + i - window / 2;
            at = at < 0 ? 0 : at > last ? last : at;
            rows[i] = solver->steps + (size_t)at * (size_t)(plane.width + 4) + 2;
        }
        if (window == 3)
            solver->kernels->median3(rows, plane.width, solver->medians);
        else
            solver->kernels->median5(rows, plane.width, solver->medians, solver->sorted);
        float *row = plane.cells + (size_t)y * plane.pitch;
        for (int x = 0; x < plane.width; x++)
            row[x] = (float)solver->medians[x] * unit;
    }
}

/* One iteration: each row's dual follows as soon as the row below has its flow. Returns the sum of
 * |change|^2 if `measured`. */
static double iterate(struct solver *solver, bool measured)
{
    const struct flow_kernels *kernels = solver->kernels;
    int width = solver->width, last = solver->height - 1, stride = solver->stride;
    float tau = (float)solver->options->tau;
    float tau_theta = (float)(solver->options->tau / solver->options->theta);
    float *change = solver->change;
    double sum = 0;

    memset(change, 0, (size_t)stride * sizeof *change);
    for (int y = 0; y <= last; y++) {
        float *row = row_at(solver, y), *above = row_at(solver, y - 1);
        if (measured)
            kernels->primal_change(row, above, width, stride, change);
        else
            kernels->primal(row, above, width, stride);
        if (y > 0)
            kernels->dual(above, row, width, stride, tau, tau_theta);
    }
    kernels->dual(row_at(solver, last), row_at(solver, last), width, stride, tau, tau_theta);
    for (int x = 0; x < width; x++)
        sum += (double)change[x];
    return sum;
}

/* One warp's iterations, with a median before each `inner`. */
static void relax(struct solver *solver)
{
    const i3d_flow_options *options = solver->options;
    double limit = options->epsilon * options->epsilon * solver->width * solver->height;
    bool measured = options->epsilon > 0;

    for (int outer = 0; outer < options->outer; outer++) {
        if (options->median) {
            median(solver, U);
            median(solver, V);
        }
        for (int inner = 0; inner < options->inner; inner++)
            if (iterate(solver, measured) <= limit && measured)
                return;
    }
}

void solver_run(struct solver *solver, const struct level *level, const struct level *coarser,
                const float *grey, const float *taps, float gain, float *scratch, float *u,
                float *v)
{
    solver->width = level->width;
    solver->height = level->height;
    solver->stride = stride_for(level->width);
    solver->pitch = pitch_for(solver->stride);
    memset(solver->field, 0, (size_t)(level->height + 1) * solver->pitch * sizeof(float));

    struct plane planes[2] = { section_plane(solver, U), section_plane(solver, V) };
    float *dense[2] = { u, v };
    for (int i = 0; coarser && i < 2; i++) {
        struct plane from = { coarser->width, coarser->height, (size_t)coarser->width, dense[i] };
        plane_scale(&from, (double)coarser->width / level->width,
                    (double)coarser->height / level->height, (float)(1 / solver->options->scale),
                    scratch, &planes[i]);
    }
    for (int i = 0; i < solver->options->warps; i++) {
        warp(solver, grey, taps, gain);
        relax(solver);
    }
    for (int i = 0; i < 2; i++)
        for (int y = 0; y < level->height; y++)
            memcpy(dense[i] + (size_t)y * (size_t)level->width,
                   planes[i].cells + (size_t)y * planes[i].pitch,
                   (size_t)level->width * sizeof(float));
}
