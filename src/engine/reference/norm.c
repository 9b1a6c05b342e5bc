#include "engine/reference/norm.h"

#include "base/failure.h"

#include <math.h>

struct job {
    const struct norm *norm;
    struct maps raw, out, out_gradient, raw_gradient;
    float *gamma_gradient, *beta_gradient;
    double elements; /* of a channel, that the statistics are of */
};

/* Two passes: the second is about the mean, so nothing cancels. */
static i3d_status measure_channel(size_t index, int worker, void *context)
{
    (void)worker;
    const struct job *job = context;
    const struct norm *norm = job->norm;
    const struct maps *raw = &job->raw;
    int c = (int)index;
    double sum = 0, squares = 0, elements = (double)norm->count * (double)raw->map;
    for (int n = 0; n < norm->count; n++) {
        const float *x = maps_channel(raw, n, c);
        for (size_t i = 0; i < raw->map; i++)
            sum += x[i];
    }
    double mean = sum / elements;
    for (int n = 0; n < norm->count; n++) {
        const float *x = maps_channel(raw, n, c);
        for (size_t i = 0; i < raw->map; i++)
            squares += (x[i] - mean) * (x[i] - mean);
    }
    norm->mean[c] = mean;
    norm->variance[c] = squares / elements;
    return I3D_OK;
}

static double inverse_deviation(const struct norm *norm, int c)
{
    return 1 / sqrt(norm->variance[c] + norm->epsilon);
}

static double find_scale(const struct norm *norm, int c)
{
    return norm->gamma ? norm->gamma[c] * inverse_deviation(norm, c) : 1;
}

/* What the ReLU lets through of the gradient behind it. */
static double pass_relu(const struct norm *norm, float out, float out_gradient)
{
    return norm->relu && !(out > 0) ? 0 : out_gradient;
}

static i3d_status apply_channel(size_t index, int worker, void *context)
{
    (void)worker;
    const struct job *job = context;
    const struct norm *norm = job->norm;
    int c = (int)index;
    double scale = find_scale(norm, c);
    double shift = norm->beta[c] - norm->mean[c] * scale;
    for (int n = 0; n < norm->count; n++) {
        const float *raw = maps_channel(&job->raw, n, c);
        float *out = maps_channel(&job->out, n, c);
        for (size_t i = 0; i < job->raw.map; i++) {
            double value = raw[i] * scale + shift;
            out[i] = norm->relu && value < 0 ? 0 : (float)value; /* a NaN goes through */
        }
    }
    return I3D_OK;
}

/* The statistics that are used: none, the running ones or the batch's. */
static i3d_status find_statistics(struct job *job, double *elements)
{
    const struct norm *norm = job->norm;
    size_t channels = (size_t)norm->channels;
    i3d_status status = I3D_OK;
    *elements = (double)norm->count * (double)job->raw.map;
    if (norm->gamma && !norm->frozen) {
        TRY(team_run(norm->team, channels, measure_channel, job));
        TRY(state_join_statistics(norm->state, norm->channels, elements, norm->mean,
                                  norm->variance));
    }
    for (size_t c = 0; (norm->frozen || !norm->gamma) && c < channels; c++) {
        norm->mean[c] = norm->gamma ? norm->running_mean[c] : 0;
        norm->variance[c] = norm->gamma ? norm->running_variance[c] : 0;
    }
out:
    return status;
}

i3d_status norm_forward(const struct norm *norm, struct maps raw, struct maps out, double *elements)
{
    struct job job = { .norm = norm, .raw = raw, .out = out };
    i3d_status status;
    TRY(find_statistics(&job, elements));
    TRY(team_run(norm->team, (size_t)norm->channels, apply_channel, &job));
out:
    return status;
}

/* With z = (raw - mean) / deviation and g the gradient behind the ReLU:
 * d(raw) = gamma / deviation * (g - mean(g) - z * mean(g z)), without the means if frozen. */
static i3d_status sum_channel(size_t index, int worker, void *context)
{
    (void)worker;
    const struct job *job = context;
    const struct norm *norm = job->norm;
    int c = (int)index;
    size_t map = job->raw.map;
    double mean = norm->mean[c], inverse = norm->gamma ? inverse_deviation(norm, c) : 1;
    double sum = 0, product = 0;
    for (int n = 0; n < norm->count; n++) {
        const float *raw = maps_channel(&job->raw, n, c), *out = maps_channel(&job->out, n, c);
        const float *out_gradient = maps_channel(&job->out_gradient, n, c);
        for (size_t i = 0; i < map; i++) {
            double g = pass_relu(norm, out[i], out_gradient[i]);
            sum += g;
            product += g * (raw[i] - mean) * inverse;
        }
    }
    norm->sum[c] = sum;
    norm->product[c] = product;
    if (job->gamma_gradient)
        job->gamma_gradient[c] = (float)product;
    if (job->beta_gradient)
        job->beta_gradient[c] = (float)sum;
    return I3D_OK;
}

static i3d_status pass_channel(size_t index, int worker, void *context)
{
    (void)worker;
    const struct job *job = context;
    const struct norm *norm = job->norm;
    int c = (int)index;
    size_t map = job->raw.map;
    double mean = norm->mean[c], inverse = norm->gamma ? inverse_deviation(norm, c) : 1;
    double scale = find_scale(norm, c);
    double sum_share = norm->frozen ? 0 : norm->sum[c] / job->elements;
    double product_share = norm->frozen ? 0 : norm->product[c] / job->elements;
    for (int n = 0; n < norm->count; n++) {
        const float *raw = maps_channel(&job->raw, n, c), *out = maps_channel(&job->out, n, c);
        const float *out_gradient = maps_channel(&job->out_gradient, n, c);
        float *raw_gradient = maps_channel(&job->raw_gradient, n, c);
        for (size_t i = 0; i < map; i++) {
            double g = pass_relu(norm, out[i], out_gradient[i]), z = (raw[i] - mean) * inverse;
            raw_gradient[i] = (float)(scale * (g - sum_share - z * product_share));
        }
    }
    return I3D_OK;
}

i3d_status norm_backward(const struct norm *norm, struct maps raw, struct maps out,
                         struct maps out_gradient, struct maps raw_gradient, float *gamma_gradient,
                         float *beta_gradient)
{
    struct job job = { .norm = norm,
                       .raw = raw,
                       .out = out,
                       .out_gradient = out_gradient,
                       .raw_gradient = raw_gradient,
                       .gamma_gradient = gamma_gradient,
                       .beta_gradient = beta_gradient,
                       .elements = (double)norm->count * (double)raw.map };
    size_t channels = (size_t)norm->channels;
    i3d_status status;
    TRY(team_run(norm->team, channels, sum_channel, &job));
    if (!norm->frozen)
        TRY(state_join_sums(norm->state, norm->channels, &job.elements, norm->sum, norm->product));
    TRY(team_run(norm->team, channels, pass_channel, &job));
out:
    return status;
}
