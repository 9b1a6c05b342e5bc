#include "engine/cpu/head_pool.h"

#include <string.h>

/* Floats of a frame, of a channel and of a window. */
struct sizes {
    size_t frame, channel, window;
    int windows; /* t' */
};

static struct sizes measure(const struct op *op)
{
    size_t frame = (size_t)op->size_in[1] * (size_t)op->size_in[2];
    return (struct sizes){ .frame = frame,
                           .channel = frame * (size_t)op->size_in[0],
                           .window = frame * (size_t)op->kernel[0],
                           .windows = op->size_out[0] };
}

static float average(const float *in, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += in[i];
    return (float)(sum / (double)count);
}

static size_t find_maximum(const float *in, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (in[i] > in[best] || in[i] != in[i])
            best = i;
    return best;
}

void head_pool_forward(const struct op *op, i3d_head head, int count, const float *in,
                       float *features)
{
    struct sizes sizes = measure(op);
    size_t channels = (size_t)count * (size_t)op->channels;
#pragma omp parallel for schedule(static)
    for (size_t c = 0; c < channels; c++)
        for (int t = 0; t < sizes.windows; t++) {
            const float *window = in + c * sizes.channel + (size_t)t * sizes.frame;
            features[c * (size_t)sizes.windows + (size_t)t] =
                head == I3D_HEAD_AVG ? average(window, sizes.window)
                                     : window[find_maximum(window, sizes.window)];
        }
}

void head_pool_backward(const struct op *op, i3d_head head, int count, const float *in,
                        const float *features_gradient, float *in_gradient)
{
    struct sizes sizes = measure(op);
    size_t channels = (size_t)count * (size_t)op->channels;
    memset(in_gradient, 0, channels * sizes.channel * sizeof *in_gradient);
#pragma omp parallel for schedule(static)
    for (size_t c = 0; c < channels; c++)
        for (int t = 0; t < sizes.windows; t++) {
            size_t first = c * sizes.channel + (size_t)t * sizes.frame;
            float gradient = features_gradient[c * (size_t)sizes.windows + (size_t)t];
            if (head == I3D_HEAD_MAX)
                in_gradient[first + find_maximum(in + first, sizes.window)] += gradient;
            else
                for (size_t i = 0; i < sizes.window; i++)
                    in_gradient[first + i] += gradient / (float)sizes.window;
        }
}
