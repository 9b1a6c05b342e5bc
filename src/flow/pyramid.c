#include "flow/pyramid.h"
#include "flow/kernel.h"

#include <math.h>
#include <string.h>

struct pyramid pyramid_plan(const i3d_flow_options *options, int width, int height)
{
    struct pyramid pyramid = { .scale = options->scale,
                               .smooth = options->smooth,
                               .clamp = options->clamp };
    while (pyramid.count < options->levels && pyramid.count < PYRAMID_LEVELS) {
        struct level *level = &pyramid.levels[pyramid.count++];
        size_t w = (size_t)width, h = (size_t)height;
        *level = (struct level){ .width = width, .height = height, .grey = pyramid.floats };
        level->taps = level->grey + (w * h + LANES - 1) / LANES * LANES;
        pyramid.floats = level->taps + (w + 2 * BORDER) * (h + 2 * BORDER) * CHANNELS;
        width = (int)nearbyint(width * options->scale);
        height = (int)nearbyint(height * options->scale);
        if (width < PYRAMID_SIDE || height < PYRAMID_SIDE)
            break;
    }
    return pyramid;
}

/* Between which two of `count` cells does `place` lie, and how far on its way to the second? */
static int split(double place, int count, float *part)
{
    double before = floor(place);
    *part = (float)(place - before);
    if (before >= 0 && before < count - 1)
        return (int)before;
    *part = 0;
    return before < 0 ? 0 : count - 1;
}

void plane_scale(const struct plane *picture, double step_x, double step_y, float gain,
                 float *scratch, struct plane *out)
{
    float *parts = scratch;
    int *lefts = (int *)(scratch + out->width);
    for (int x = 0; x < out->width; x++)
        lefts[x] = split((x + .5) * step_x - .5, picture->width, &parts[x]);
    int last = picture->width - 1;
    for (int y = 0; y < out->height; y++) {
        float part;
        int top = split((y + .5) * step_y - .5, picture->height, &part);
        int bottom = top < picture->height - 1 ? top + 1 : top;
        const float *above = picture->cells + (size_t)top * picture->pitch;
        const float *below = picture->cells + (size_t)bottom * picture->pitch;
        float *row = out->cells + (size_t)y * out->pitch;
        for (int x = 0; x < out->width; x++) {
            int left = lefts[x], right = left < last ? left + 1 : left;
            float a = above[left] * (1 - parts[x]) + above[right] * parts[x];
            float b = below[left] * (1 - parts[x]) + below[right] * parts[x];
            row[x] = (a * (1 - part) + b * part) * gain;
        }
    }
}

/* Convolves with a Gaussian, edges repeated, cut at five sigma. `scratch`: width * height floats.
 */
static void smooth(const struct plane *plane, double sigma, float *scratch)
{
    enum { RADIUS = 32 };
    float weights[RADIUS + 1];
    int radius = (int)fmin(RADIUS, ceil(5 * sigma));
    double sum = 0;
    for (int i = -radius; i <= radius; i++)
        sum += exp(-i * i / (2 * sigma * sigma));
    for (int i = 0; i <= radius; i++)
        weights[i] = (float)(exp(-i * i / (2 * sigma * sigma)) / sum);

    int width = plane->width, height = plane->height;
    for (int y = 0; y < height; y++) {
        const float *row = plane->cells + (size_t)y * plane->pitch;
        for (int x = 0; x < width; x++) {
            float value = weights[0] * row[x];
            for (int i = 1; i <= radius; i++)
                value += weights[i] *
                         (row[x - i < 0 ? 0 : x - i] + row[x + i < width ? x + i : width - 1]);
            scratch[(size_t)y * (size_t)width + (size_t)x] = value;
        }
    }
    for (int y = 0; y < height; y++) {
        float *row = plane->cells + (size_t)y * plane->pitch;
        for (int x = 0; x < width; x++)
            row[x] = weights[0] * scratch[(size_t)y * (size_t)width + (size_t)x];
        for (int i = 1; i <= radius; i++) {
            const float *above = scratch + (size_t)(y - i < 0 ? 0 : y - i) * (size_t)width;
            const float *below =
                scratch + (size_t)(y + i < height ? y + i : height - 1) * (size_t)width;
            for (int x = 0; x < width; x++)
                row[x] += weights[i] * (above[x] + below[x]);
        }
    }
}

/* Grey and its central differences, side by side; at an edge the missing neighbour is the cell
 * itself. */
static void fill_taps(const struct level *level, float *picture)
{
    int width = level->width, height = level->height;
    const float *grey = picture + level->grey;
    for (int y = 0; y < height; y++) {
        const float *row = grey + (size_t)y * (size_t)width;
        const float *above = y > 0 ? row - width : row;
        const float *below = y < height - 1 ? row + width : row;
        float *tap = picture + level->taps +
                     ((size_t)(y + BORDER) * (size_t)(width + 2 * BORDER) + BORDER) * CHANNELS;
        for (int x = 0; x < width; x++, tap += CHANNELS) {
            tap[0] = row[x];
            tap[1] = .5f * (row[x < width - 1 ? x + 1 : x] - row[x > 0 ? x - 1 : x]);
            tap[2] = .5f * (below[x] - above[x]);
        }
    }
}

/* Lets the picture go on beyond its border as its edge. */
static void extend_taps(const struct level *level, float *picture)
{
    size_t cell = CHANNELS * sizeof(float), pitch = (size_t)(level->width + 2 * BORDER) * CHANNELS;
    float *taps = picture + level->taps;
    for (int y = BORDER; y < level->height + BORDER; y++) {
        float *first = taps + (size_t)y * pitch + BORDER * CHANNELS;
        float *last = first + (level->width - 1) * CHANNELS;
        for (int i = 1; i <= BORDER; i++) {
            memcpy(first - i * CHANNELS, first, cell);
            memcpy(last + i * CHANNELS, last, cell);
        }
    }
    float *top = taps + BORDER * pitch;
    float *bottom = taps + (size_t)(level->height + BORDER - 1) * pitch;
    for (size_t i = 1; i <= BORDER; i++) {
        memcpy(top - i * pitch, top, pitch * sizeof(float));
        memcpy(bottom + i * pitch, bottom, pitch * sizeof(float));
    }
}

static struct plane level_plane(const struct level *level, float *picture)
{
    return (struct plane){ level->width, level->height, (size_t)level->width,
                           picture + level->grey };
}

void pyramid_build(const struct pyramid *pyramid, const uint8_t *grey, float *scratch,
                   float *picture)
{
    struct plane plane = level_plane(&pyramid->levels[0], picture);
    size_t count = (size_t)plane.width * (size_t)plane.height;
    float *rows = scratch, *copy = scratch + 2 * plane.width, *cells = copy + count;
    for (size_t i = 0; i < count; i++)
        plane.cells[i] = grey[i];
    if (pyramid->smooth > 0)
        smooth(&plane, pyramid->smooth, cells);

    for (int i = 0; i < pyramid->count; i++) {
        const struct level *level = &pyramid->levels[i];
        if (i > 0) {
            struct plane finer = plane;
            plane = level_plane(level, picture);
            if (pyramid->smooth > 0) {
                memcpy(copy, finer.cells, count * sizeof(float));
                count = (size_t)plane.width * (size_t)plane.height;
                finer.cells = copy;
                smooth(&finer, .6 * sqrt(1 / (pyramid->scale * pyramid->scale) - 1), cells);
            }
            plane_scale(&finer, 1 / pyramid->scale, 1 / pyramid->scale, 1, rows, &plane);
        }
        fill_taps(level, picture);
        if (pyramid->clamp)
            extend_taps(level, picture);
    }
}
