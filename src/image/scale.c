/* Bilinear scaling in fixed point, the arithmetic of OpenCV's cv::resize(INTER_LINEAR) on 8 bits:
 * weights of 11 bits, horizontally first, the sum rounded once. */
#include "base/failure.h"
#include "base/memory.h"
#include "image/image.h"

#include <math.h>

enum { ONE = 1 << 11 };

/* One output position: between inputs `near` and `far`, `weight` of ONE to the far one. */
struct tap {
    int near, far, weight;
};

static void make_taps(int from, int to, struct tap *taps)
{
    double ratio = (double)from / to;
    for (int i = 0; i < to; i++) {
        float centre = (float)((i + .5) * ratio - .5);
        int near = (int)floorf(centre);
        taps[i] = (struct tap){ .near = near < 0 ? 0 : near,
                                .far = near + 1 < from ? near + 1 : from - 1,
                                .weight = (int)lrintf((centre - (float)near) * ONE) };
    }
}

static void scale_row(const uint8_t *row, int channels, const struct tap *taps, int width,
                      int32_t *out)
{
    for (int x = 0; x < width; x++) {
        const uint8_t *a = row + taps[x].near * channels, *b = row + taps[x].far * channels;
        for (int c = 0; c < channels; c++)
            *out++ = a[c] * (ONE - taps[x].weight) + b[c] * taps[x].weight;
    }
}

static void blend_rows(const int32_t *a, const int32_t *b, int weight, size_t count, uint8_t *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (uint8_t)(((((ONE - weight) * (a[i] >> 4)) >> 16) +
                            ((weight * (b[i] >> 4)) >> 16) + 2) >>
                           2);
}

/* Working memory of one call: the taps of both directions and two scaled rows. */
struct scaler {
    struct tap *columns, *lines;
    int32_t *rows[2];
    int held[2]; /* which input line rows[] holds, -1: none */
};

static i3d_status scaler_create(const i3d_image *image, int width, int height, struct scaler *out)
{
    i3d_status status;
    size_t row = (size_t)width * (size_t)image->channels;
    *out = (struct scaler){ .held = { -1, -1 } };
    TRY(memory_get((size_t)width + (size_t)height, sizeof *out->columns, &out->columns));
    TRY(memory_get(2 * row, sizeof **out->rows, &out->rows[0]));
    out->lines = out->columns + width;
    out->rows[1] = out->rows[0] + row;
    make_taps(image->width, width, out->columns);
    make_taps(image->height, height, out->lines);
out:
    return status;
}

/* Input line `line`, scaled, in the slot of its parity: two neighbours are held at once. */
static const int32_t *scaled_line(struct scaler *scaler, const i3d_image *image, int width,
                                  int line)
{
    int slot = line & 1;
    size_t stride = (size_t)image->width * (size_t)image->channels;
    if (scaler->held[slot] != line)
        scale_row(image->pixels + (size_t)line * stride, image->channels, scaler->columns, width,
                  scaler->rows[slot]);
    scaler->held[slot] = line;
    return scaler->rows[slot];
}

i3d_status i3d_image_scale(const i3d_image *image, int width, int height, i3d_image *out)
{
    i3d_status status;
    struct scaler scaler = { 0 };
    TRY(i3d_image_resize_storage(out, width, height, image->channels));
    TRY(scaler_create(image, width, height, &scaler));
    size_t stride = (size_t)width * (size_t)image->channels;
    for (int y = 0; y < height; y++) {
        const struct tap *tap = &scaler.lines[y];
        const int32_t *a = scaled_line(&scaler, image, width, tap->near);
        const int32_t *b = scaled_line(&scaler, image, width, tap->far);
        blend_rows(a, b, tap->weight, stride, out->pixels + (size_t)y * stride);
    }
out:
    memory_free(scaler.columns);
    memory_free(scaler.rows[0]);
    return status;
}
