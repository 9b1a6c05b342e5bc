/* The functions of conv.h for one type of sum: SUM is float or double, CONV_FUNCTIONS the name of
 * their table. */
#include "engine/reference/conv.h"

#include <stdbool.h>
#include <string.h>

typedef void (*fetch_row)(const struct op *op, struct maps from, int n, int k, int t, int h,
                          SUM *row);

/* A product of rows: each row of `to` from all taps of `from`. Forward and the gradient of the data
 * differ in how a tap's row is fetched and which way the channels go. */
struct product {
    const struct conv *conv;
    fetch_row fetch;
    struct maps from, to;
    int from_channels, to_channels;
    const int *size;     /* t, h, w of `to` */
    const float *weight; /* [to, from, kt, kh, kw] */
    bool add;            /* to what is there */
};

/* Tap k of the kernel over all channels of what is read, [channel, kt, kh, kw] in C order. */
struct tap {
    int channel, at[3];
};

static struct tap find_tap(const struct op *op, int k)
{
    struct tap tap;
    for (int d = 2; d >= 0; d--) {
        tap.at[d] = k % op->kernel[d];
        k /= op->kernel[d];
    }
    tap.channel = k;
    return tap;
}

static int tap_count(const struct op *op)
{
    return op->kernel[0] * op->kernel[1] * op->kernel[2];
}

/* Splits a row's number into sample, frame and line. */
static void find_row(size_t index, const int size[3], int *n, int *t, int *h)
{
    *h = (int)(index % (size_t)size[1]);
    index /= (size_t)size[1];
    *t = (int)(index % (size_t)size[0]);
    *n = (int)(index / (size_t)size[0]);
}

/* What tap k reads for output row (t, h). */
static void gather_row(const struct op *op, struct maps in, int n, int k, int t, int h, SUM *row)
{
    struct tap tap = find_tap(op, k);
    const int *size = op->size_in;
    int ti = t * op->stride[0] + tap.at[0] - op->front[0];
    int hi = h * op->stride[1] + tap.at[1] - op->front[1];
    memset(row, 0, conv_width(op->size_out[2]) * sizeof *row);
    if (ti < 0 || ti >= size[0] || hi < 0 || hi >= size[1])
        return;
    const float *line = maps_channel(&in, n, tap.channel) +
                        ((size_t)ti * (size_t)size[1] + (size_t)hi) * (size_t)size[2];
    int step = op->stride[2], shift = tap.at[2] - op->front[2], w = 0;
    while (w * step + shift < 0)
        w++;
    for (; w < op->size_out[2] && w * step + shift < size[2]; w++)
        row[w] = line[w * step + shift];
}

/* What tap k of the output's gradient adds to input row (t, h). */
static void spread_row(const struct op *op, struct maps out, int n, int k, int t, int h, SUM *row)
{
    struct tap tap = find_tap(op, k);
    const int *size = op->size_out;
    int to = t + op->front[0] - tap.at[0], ho = h + op->front[1] - tap.at[1];
    memset(row, 0, conv_width(op->size_in[2]) * sizeof *row);
    if (to < 0 || to % op->stride[0] || ho < 0 || ho % op->stride[1])
        return;
    to /= op->stride[0];
    ho /= op->stride[1];
    if (to >= size[0] || ho >= size[1])
        return;
    const float *line = maps_channel(&out, n, tap.channel) +
                        ((size_t)to * (size_t)size[1] + (size_t)ho) * (size_t)size[2];
    int step = op->stride[2], shift = tap.at[2] - op->front[2], w = 0;
    while (w * step + shift < 0)
        w++;
    for (; w < size[2] && w * step + shift < op->size_in[2]; w++)
        row[w * step + shift] = line[w];
}

/* part[w] = sum over k of weight[k] * rows[k, w], eight k at a time so that `part` is read and
 * written seldom. */
static inline void multiply_rows(int count, size_t width, const float *restrict weight,
                                 const SUM *restrict rows, SUM *restrict part)
{
    int k = 0;
    memset(part, 0, width * sizeof *part);
    for (; k + 8 <= count; k += 8, weight += 8, rows += 8 * width) {
        const SUM a = weight[0], b = weight[1], c = weight[2], d = weight[3];
        const SUM e = weight[4], f = weight[5], g = weight[6], h = weight[7];
        for (size_t w = 0; w < width / 4 * 4; w++)
            part[w] += a * rows[w] + b * rows[w + width] + c * rows[w + 2 * width] +
                       d * rows[w + 3 * width] + e * rows[w + 4 * width] + f * rows[w + 5 * width] +
                       g * rows[w + 6 * width] + h * rows[w + 7 * width];
    }
    for (; k < count; k++, weight++, rows += width)
        for (size_t w = 0; w < width / 4 * 4; w++)
            part[w] += *weight * rows[w];
}

static void write_row(const double *sum, int count, bool add, float *out)
{
    for (int w = 0; w < count; w++)
        out[w] = (float)(add ? out[w] + sum[w] : sum[w]);
}

/* The sums of a block are in SUM, those over the blocks always in float64. */
static i3d_status run_row(size_t index, int worker, void *context)
{
    const struct product *product = context;
    const struct op *op = product->conv->op;
    const int *size = product->size;
    size_t width = conv_width(size[2]), channels = (size_t)product->to_channels;
    double *sums = product->conv->scratch[worker];
    SUM *part = (SUM *)(sums + channels * width), *rows = part + width;
    int taps = product->from_channels * tap_count(op), n, t, h;
    find_row(index, size, &n, &t, &h);
    memset(sums, 0, channels * width * sizeof *sums);
    for (int k = 0; k < taps; k += CONV_BLOCK) {
        int block = taps - k < CONV_BLOCK ? taps - k : CONV_BLOCK;
        for (int i = 0; i < block; i++)
            product->fetch(op, product->from, n, k + i, t, h, rows + (size_t)i * width);
        for (size_t c = 0; c < channels; c++) {
            multiply_rows(block, width, product->weight + c * (size_t)taps + k, rows, part);
            for (size_t w = 0; w < width; w++)
                sums[c * width + w] += part[w];
        }
    }
    size_t offset = ((size_t)t * (size_t)size[1] + (size_t)h) * (size_t)size[2];
    for (int c = 0; c < product->to_channels; c++)
        write_row(sums + (size_t)c * width, size[2], product->add,
                  maps_channel(&product->to, n, c) + offset);
    return I3D_OK;
}

static i3d_status run_product(struct product *product)
{
    size_t rows =
        (size_t)product->conv->count * (size_t)product->size[0] * (size_t)product->size[1];
    return team_run(product->conv->team, rows, run_row, product);
}

static i3d_status forward(const struct conv *conv, struct maps in, const float *weight,
                          struct maps out)
{
    struct product product = { .conv = conv,
                               .fetch = gather_row,
                               .from = in,
                               .to = out,
                               .from_channels = conv->op->in_channels,
                               .to_channels = conv->op->channels,
                               .size = conv->op->size_out,
                               .weight = weight };
    return run_product(&product);
}

static i3d_status backward_data(const struct conv *conv, struct maps out_gradient,
                                const float *turned, struct maps in_gradient)
{
    struct product product = { .conv = conv,
                               .fetch = spread_row,
                               .from = out_gradient,
                               .to = in_gradient,
                               .from_channels = conv->op->channels,
                               .to_channels = conv->op->in_channels,
                               .size = conv->op->size_in,
                               .weight = turned,
                               .add = true };
    return run_product(&product);
}

struct weight_job {
    const struct conv *conv;
    struct maps in, out_gradient;
    float *weight_gradient;
};

/* What a block of taps from k = begin reads for output row (t, h), [w, tap]. */
static void gather_columns(const struct weight_job *job, int n, int begin, int count, int t, int h,
                           SUM *row, SUM *columns)
{
    const struct op *op = job->conv->op;
    for (int i = 0; i < count; i++) {
        gather_row(op, job->in, n, begin + i, t, h, row);
        for (int w = 0; w < op->size_out[2]; w++)
            columns[w * CONV_GRAD_BLOCK + i] = row[w];
    }
}

/* The gradients of a block of taps, summed over all rows by one thread: the same sum whatever the
 * number of threads. */
static i3d_status run_weight_block(size_t index, int worker, void *context)
{
    const struct weight_job *job = context;
    const struct op *op = job->conv->op;
    const int *size = op->size_out;
    size_t width = conv_width(size[2]), channels = (size_t)op->channels;
    int taps = op->in_channels * tap_count(op), begin = (int)index * CONV_GRAD_BLOCK;
    int block = taps - begin < CONV_GRAD_BLOCK ? taps - begin : CONV_GRAD_BLOCK;
    double *sums = job->conv->scratch[worker];
    SUM *row = (SUM *)(sums + channels * CONV_GRAD_BLOCK), *columns = row + width;
    size_t count = (size_t)job->conv->count * (size_t)size[0] * (size_t)size[1];
    memset(sums, 0, channels * CONV_GRAD_BLOCK * sizeof *sums);
    for (size_t line = 0; line < count; line++) {
        int n, t, h;
        find_row(line, size, &n, &t, &h);
        gather_columns(job, n, begin, block, t, h, row, columns);
        size_t offset = ((size_t)t * (size_t)size[1] + (size_t)h) * (size_t)size[2];
        for (int c = 0; c < op->channels; c++) {
            SUM part[CONV_GRAD_BLOCK];
            multiply_rows(size[2], CONV_GRAD_BLOCK, maps_channel(&job->out_gradient, n, c) + offset,
                          columns, part);
            for (int i = 0; i < CONV_GRAD_BLOCK; i++)
                sums[c * CONV_GRAD_BLOCK + i] += part[i];
        }
    }
    for (size_t c = 0; c < channels; c++)
        for (int i = 0; i < block; i++)
            job->weight_gradient[c * (size_t)taps + (size_t)(begin + i)] =
                (float)sums[c * CONV_GRAD_BLOCK + (size_t)i];
    return I3D_OK;
}

static i3d_status backward_weight(const struct conv *conv, struct maps in, struct maps out_gradient,
                                  float *weight_gradient)
{
    struct weight_job job = {
        .conv = conv, .in = in, .out_gradient = out_gradient, .weight_gradient = weight_gradient
    };
    int taps = conv->op->in_channels * tap_count(conv->op);
    size_t blocks = ((size_t)taps + CONV_GRAD_BLOCK - 1) / CONV_GRAD_BLOCK;
    return team_run(conv->team, blocks, run_weight_block, &job);
}

const struct conv_functions CONV_FUNCTIONS = { forward, backward_weight, backward_data };
