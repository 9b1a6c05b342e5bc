#include "flow/solver.h"
#include "base/failure.h"
#include "base/memory.h"

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

static void fill_weights(const i3d_flow_options *options, struct weights *weights)
{
    while (1 << weights->bits < options->subpixels)
        weights->bits++;
    for (int i = 0; i < options->subpixels; i++) {
        cubic_weights(options->cubic, (double)i / options->subpixels, weights->y[i]);
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
    TRY(memory_get(stride, sizeof(float), &out->columns));
    TRY(memory_get(3 * w, sizeof(int), &out->warp.offset));
    TRY(memory_get(CHANNELS * w, sizeof(float), &out->warp.sample));
    TRY(memory_get((w + 4) * h, sizeof(int16_t), &out->steps));
    TRY(memory_get(5 * (w + 4), sizeof(int16_t), &out->sorted));
    out->warp.at_x = out->warp.offset + w;
    out->warp.at_y = out->warp.offset + 2 * w;
    fill_weights(options, out->weights);
    out->warp.weights = out->weights;
    out->warp.inside = options->border == I3D_FLOW_BORDER_NONE;
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
    memory_free(solver->columns);
    memory_free(solver->warp.offset);
    memory_free(solver->warp.sample);
    memory_free(solver->steps);
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

/* Runs a kernel of the warp, or the recheck, over all rows. */
static void warp(struct solver *solver, void (*kernel)(const struct warp_row *, float *))
{
    struct warp_row *warp = &solver->warp;
    const float *grey = warp->grey;
    for (warp->y = 0; warp->y < solver->height; warp->y++) {
        kernel(warp, row_at(solver, warp->y));
        warp->grey += solver->width;
    }
    warp->grey = grey;
}

/* Median of each window, edges repeated, in as many steps as fit 16 bits. */
static void median(struct solver *solver, enum section section)
{
    const struct flow_kernels *kernels = solver->kernels;
    struct plane plane = section_plane(solver, section);
    int window = solver->options->median, last = plane.height - 1;
    size_t pitch = (size_t)(plane.width + 4);
    float *columns = solver->columns, most = 1;

    memset(columns, 0, (size_t)plane.width * sizeof *columns);
    for (int y = 0; y <= last; y++)
        kernels->largest(plane.cells + (size_t)y * plane.pitch, plane.width, columns);
    for (int x = 0; x < plane.width; x++)
        most = columns[x] > most ? columns[x] : most;
    float steps = 32512 / most;
    for (int y = 0; y <= last; y++)
        kernels->to_steps(plane.cells + (size_t)y * plane.pitch, plane.width, steps,
                          solver->steps + (size_t)y * pitch + 2);
    for (int y = 0; y <= last; y++) {
        const int16_t *rows[5];
        for (int i = 0; i < window; i++) {
            int at = y + i - window / 2;
            at = at < 0 ? 0 : at > last ? last : at;
            rows[i] = solver->steps + (size_t)at * pitch + 2;
        }
        float *row = plane.cells + (size_t)y * plane.pitch;
        if (window == 3)
            kernels->median3(rows, plane.width, 1 / steps, solver->sorted, row);
        else
            kernels->median5(rows, plane.width, 1 / steps, solver->sorted, row);
    }
}

/* `count` iterations. A row's dual follows as soon as the row below has its flow, and the next
 * iteration as soon as the dual has: two rows behind, while the rows are in the cache. The numbers
 * are those of one iteration after the other. Returns the mean of |change|^2 over all of them. */
static double iterate(struct solver *solver, int count)
{
    const struct flow_kernels *kernels = solver->kernels;
    int width = solver->width, height = solver->height, stride = solver->stride;
    float tau = (float)solver->options->tau;
    float tau_theta = (float)(solver->options->tau / solver->options->theta);
    double sum = 0;

    memset(solver->columns, 0, (size_t)stride * sizeof *solver->columns);
    for (int step = 0; step <= height + 2 * (count - 1); step++)
        for (int i = 0; i < count; i++) {
            int y = step - 2 * i;
            if (y < 0 || y > height)
                continue;
            float *row = row_at(solver, y), *above = row_at(solver, y - 1);
            if (y < height)
                kernels->primal(row, above, width, stride, solver->columns);
            if (y > 0)
                kernels->dual(above, y < height ? row : above, width, stride, tau, tau_theta);
        }
    for (int x = 0; x < width; x++)
        sum += (double)solver->columns[x];
    return sum / ((double)width * height * count);
}

/* One warp's iterations, with a median before each `inner`. */
static void relax(struct solver *solver)
{
    const i3d_flow_options *options = solver->options;
    for (int outer = 0; outer < options->outer; outer++) {
        if (options->median) {
            median(solver, U);
            median(solver, V);
        }
        for (int left = options->inner; left > 0;) {
            int count = left < options->look ? left : options->look;
            double change = iterate(solver, count);
            left -= count;
            if (options->epsilon > 0 && change <= options->epsilon * options->epsilon)
                return;
        }
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
    solver->warp.taps = taps;
    solver->warp.grey = grey;
    solver->warp.gain = gain;
    solver->warp.width = solver->width;
    solver->warp.height = solver->height;
    solver->warp.stride = solver->stride;
    memset(solver->field, 0, (size_t)(level->height + 1) * solver->pitch * sizeof(float));

    struct plane planes[2] = { section_plane(solver, U), section_plane(solver, V) };
    float *dense[2] = { u, v };
    for (int i = 0; coarser && i < 2; i++) {
        struct plane from = { coarser->width, coarser->height, (size_t)coarser->width, dense[i] };
        plane_scale(solver->options, &from, (double)coarser->width / level->width,
                    (double)coarser->height / level->height, (float)(1 / solver->options->scale),
                    scratch, &planes[i]);
    }
    if (coarser && solver->options->recheck)
        warp(solver, solver->kernels->recheck);
    for (int i = 0; i < solver->options->warps; i++) {
        warp(solver, solver->kernels->warp);
        relax(solver);
    }
    for (int i = 0; i < 2; i++)
        for (int y = 0; y < level->height; y++)
            memcpy(dense[i] + (size_t)y * (size_t)level->width,
                   planes[i].cells + (size_t)y * planes[i].pitch,
                   (size_t)level->width * sizeof(float));
}
