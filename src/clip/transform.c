#include "clip/transform.h"
#include "base/failure.h"
#include "base/memory.h"

#include <limits.h>
#include <math.h>

enum { CHANNELS_MOST = 3 };

/* The longer side when the shorter becomes `resize`, to the nearest. */
static int64_t scale_side(int64_t side, int64_t shorter, int64_t resize)
{
    return (2 * side * resize + shorter) / (2 * shorter);
}

/* Where the crop begins: anywhere, or (length - size) / 2 with halves to even. */
static int choose_begin(int length, int size, struct random *random)
{
    int room = length - size, half = room / 2;
    if (random)
        return (int)random_below(random, (uint64_t)room + 1);
    return room % 2 ? half + half % 2 : half;
}

i3d_status cut_choose(int width, int height, int resize, int size, struct random *random,
                      struct cut *out)
{
    int shorter = width < height ? width : height;
    int64_t w = width, h = height;
    if (resize > 0) {
        w = scale_side(width, shorter, resize);
        h = scale_side(height, shorter, resize);
    }
    if (w > INT_MAX / 2 || h > INT_MAX / 2)
        return failure(I3D_EINVAL, "a frame of %d x %d is too long to scale its short side to %d",
                       width, height, resize);
    if (w < size || h < size)
        return failure(I3D_EINVAL,
                       "a crop of %d x %d does not fit in a frame of %d x %d%s; crop less, or make "
                       "the short side at least %d",
                       size, size, (int)w, (int)h, resize > 0 ? " after scaling" : "", size);
    *out = (struct cut){ .width = (int)w, .height = (int)h };
    out->x = choose_begin(out->width, size, random);
    out->y = choose_begin(out->height, size, random);
    return I3D_OK;
}

i3d_status cutter_create(int size, struct cutter *out)
{
    i3d_status status;
    size_t count = (size_t)size;
    *out = (struct cutter){ .size = size };
    for (int v = 0; v < 256; v++)
        out->values[v] = (float)(v / 255. * 2 - 1);
    TRY(memory_get(count, sizeof *out->left, &out->left));
    TRY(memory_get(count, sizeof *out->right, &out->right));
    TRY(memory_get(count, sizeof *out->weight, &out->weight));
    for (int i = 0; i < 2; i++)
        TRY(memory_get(count, CHANNELS_MOST * sizeof *out->rows[i], &out->rows[i]));
out:
    if (status != I3D_OK)
        cutter_clear(out);
    return status;
}

void cutter_clear(struct cutter *cutter)
{
    memory_free(cutter->left);
    memory_free(cutter->right);
    memory_free(cutter->weight);
    memory_free(cutter->rows[0]);
    memory_free(cutter->rows[1]);
    *cutter = (struct cutter){ 0 };
}

/* The two source positions between which the centre of `at` of `scaled` falls, and the second's
 * weight. */
static float find_between(int at, int scaled, int length, int *first, int *second)
{
    double position = (at + .5) * length / scaled - .5, below = floor(position);
    *first = below < 0 ? 0 : (int)below;
    *second = (int)below + 1 < length ? (int)below + 1 : length - 1;
    return (float)(position - below);
}

/* Source row `y` stretched to the crop's columns, planar; kept for the next row that needs it. */
static const float *stretch_row(struct cutter *cutter, const i3d_image *image, int y)
{
    float *row = cutter->rows[y % 2];
    if (cutter->held[y % 2] == y)
        return row;
    cutter->held[y % 2] = y;
    const uint8_t *source =
        image->pixels + (size_t)y * (size_t)image->width * (size_t)image->channels;
    for (int c = 0; c < image->channels; c++, source++, row += cutter->size)
        for (int x = 0; x < cutter->size; x++) {
            float left = source[cutter->left[x]], right = source[cutter->right[x]];
            row[x] = left + cutter->weight[x] * (right - left);
        }
    return cutter->rows[y % 2];
}

static void run_scaled(struct cutter *cutter, const i3d_image *image, const struct cut *cut,
                       const struct pixels *pixels, float *out, size_t stride)
{
    int size = cutter->size, channels = image->channels;
    float slope = pixels->invert ? -2.f / 255 : 2.f / 255, offset = pixels->invert ? 1 : -1;
    for (int x = 0; x < size; x++) {
        int at = cut->x + (cut->flip ? size - 1 - x : x);
        cutter->weight[x] =
            find_between(at, cut->width, image->width, &cutter->left[x], &cutter->right[x]);
        cutter->left[x] *= channels;
        cutter->right[x] *= channels;
    }
    cutter->held[0] = cutter->held[1] = -1;
    for (int y = 0; y < size; y++) {
        int top, bottom;
        float weight = find_between(cut->y + y, cut->height, image->height, &top, &bottom);
        const float *upper = stretch_row(cutter, image, top);
        const float *lower = stretch_row(cutter, image, bottom);
        for (int c = 0; c < channels; c++, upper += size, lower += size) {
            float *to = out + (size_t)(pixels->bgr ? channels - 1 - c : c) * stride + y * size;
            for (int x = 0; x < size; x++)
                to[x] = (upper[x] + weight * (lower[x] - upper[x])) * slope + offset;
        }
    }
}

static void run_plain(const struct cutter *cutter, const i3d_image *image, const struct cut *cut,
                      const struct pixels *pixels, float *out, size_t stride)
{
    int size = cutter->size, channels = image->channels, step = cut->flip ? -channels : channels;
    int first = cut->x + (cut->flip ? size - 1 : 0), mask = pixels->invert ? 255 : 0;
    for (int y = 0; y < size; y++) {
        const uint8_t *row =
            image->pixels +
            ((size_t)(cut->y + y) * (size_t)image->width + (size_t)first) * (size_t)channels;
        for (int c = 0; c < channels; c++) {
            float *to = out + (size_t)(pixels->bgr ? channels - 1 - c : c) * stride + y * size;
            for (int x = 0; x < size; x++)
                to[x] = cutter->values[row[x * step + c] ^ mask]; /* 255 - v is v ^ 255 */
        }
    }
}

void cutter_run(struct cutter *cutter, const i3d_image *image, const struct cut *cut,
                const struct pixels *pixels, float *out, size_t stride)
{
    if (cut->width == image->width && cut->height == image->height)
        run_plain(cutter, image, cut, pixels, out, stride);
    else
        run_scaled(cutter, image, cut, pixels, out, stride);
}
