#include "flow/pyramid.h"
#include "flow/kernel.h"

#include <math.h>
#include <string.h>

/* Sizes that end in .5 go to the even one as in OpenCV, or up as in the IPOL program. */
static int scaled(const i3d_flow_options *options, int side)
{
    double to = side * options->scale;
    return (int)(options->bicubic ? floor(to + .5) : nearbyint(to));
}

static bool too_small(const i3d_flow_options *options, int width, int height)
{
    if (options->bicubic)
        return hypot(width, height) < PYRAMID_SIDE || width < 1 || height < 1;
    return width < PYRAMID_SIDE || height < PYRAMID_SIDE;
}

struct pyramid pyramid_plan(const i3d_flow_options *options, int width, int height)
{
    struct pyramid pyramid = { .options = options };
    while (pyramid.count < options->levels && pyramid.count < PYRAMID_LEVELS) {
        struct level *level = &pyramid.levels[pyramid.count++];
        size_t w = (size_t)width, h = (size_t)height;
        *level = (struct level){ .width = width, .height = height, .grey = pyramid.floats };
        level->taps = level->grey + (w * h + LANES - 1) / LANES * LANES;
        pyramid.floats = level->taps + (w + 2 * BORDER) * (h + 2 * BORDER) * CHANNELS;
        width = scaled(options, width);
        height = scaled(options, height);
        if (too_small(options, width, height))
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

static void scale_linear(const struct plane *picture, double step_x, double step_y, float gain,
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

void cubic_weights(double a, double at, float out[4])
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

/* The four cells that `place` is seen by, edges repeated, and their weights. */
static void cubic_at(double a, double place, int count, int cells[4], float weights[4])
{
    int first = (int)floor(place);
    cubic_weights(a, place - first, weights);
    for (int i = 0; i < 4; i++) {
        int cell = first - 1 + i;
        cells[i] = cell < 0 ? 0 : cell < count ? cell : count - 1;
    }
}

static void scale_cubic(const struct plane *picture, double a, double step_x, double step_y,
                        float gain, float *scratch, struct plane *out)
{
    int cells[4];
    float weights[4];
    for (int y = 0; y < out->height; y++) {
        const float *rows[4];
        cubic_at(a, y * step_y, picture->height, cells, weights);
        for (int i = 0; i < 4; i++)
            rows[i] = picture->cells + (size_t)cells[i] * picture->pitch;
        for (int x = 0; x < picture->width; x++)
            scratch[x] = weights[0] * rows[0][x] + weights[1] * rows[1][x] +
                         weights[2] * rows[2][x] + weights[3] * rows[3][x];
        float *row = out->cells + (size_t)y * out->pitch;
        for (int x = 0; x < out->width; x++) {
            cubic_at(a, x * step_x, picture->width, cells, weights);
            row[x] = gain * (weights[0] * scratch[cells[0]] + weights[1] * scratch[cells[1]] +
                             weights[2] * scratch[cells[2]] + weights[3] * scratch[cells[3]]);
        }
    }
}

void plane_scale(const i3d_flow_options *options, const struct plane *picture, double step_x,
                 double step_y, float gain, float *scratch, struct plane *out)
{
    if (options->bicubic)
        scale_cubic(picture, options->cubic, step_x, step_y, gain, scratch, out);
    else
        scale_linear(picture, step_x, step_y, gain, scratch, out);
}

/* The cell that lies at `i`: beyond the first one the picture is mirrored about that cell's centre,
 * beyond the last one about its edge. */
static inline size_t mirrored(int i, int count)
{
    i = i < 0 ? -i : i < count ? i : 2 * count - 1 - i;
    return (size_t)(i < 0 ? 0 : i < count ? i : count - 1);
}

/* Convolves with a Gaussian as the IPOL program does: cut at five sigma. `scratch`: width * height
 * floats. */
static void smooth(const struct plane *plane, double sigma, float *scratch)
{
    enum { RADIUS = 32 };
    float weights[RADIUS + 1];
    int radius = (int)fmin(RADIUS, 5 * sigma);
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
                value += weights[i] * (row[mirrored(x - i, width)] + row[mirrored(x + i, width)]);
            scratch[(size_t)y * (size_t)width + (size_t)x] = value;
        }
    }
    for (int y = 0; y < height; y++) {
        float *row = plane->cells + (size_t)y * plane->pitch;
        for (int x = 0; x < width; x++)
            row[x] = weights[0] * scratch[(size_t)y * (size_t)width + (size_t)x];
        for (int i = 1; i <= radius; i++) {
            const float *above = scratch + mirrored(y - i, height) * (size_t)width;
            const float *below = scratch + mirrored(y + i, height) * (size_t)width;
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
    const i3d_flow_options *options = pyramid->options;
    struct plane plane = level_plane(&pyramid->levels[0], picture);
    size_t count = (size_t)plane.width * (size_t)plane.height;
    float *rows = scratch, *copy = scratch + 2 * plane.width, *cells = copy + count;
    for (size_t i = 0; i < count; i++)
        plane.cells[i] = grey[i];
    if (options->smooth > 0)
        smooth(&plane, options->smooth, cells);

    for (int i = 0; i < pyramid->count; i++) {
        const struct level *level = &pyramid->levels[i];
        if (i > 0) {
            struct plane finer = plane;
            plane = level_plane(level, picture);
            if (options->smooth > 0) {
                memcpy(copy, finer.cells, count * sizeof(float));
                count = (size_t)plane.width * (size_t)plane.height;
                finer.cells = copy;
                smooth(&finer, .6 * sqrt(1 / (options->scale * options->scale) - 1), cells);
            }
            plane_scale(options, &finer, 1 / options->scale, 1 / options->scale, 1, rows, &plane);
        }
        fill_taps(level, picture);
        if (options->border == I3D_FLOW_BORDER_EDGE)
            extend_taps(level, picture);
    }
}
