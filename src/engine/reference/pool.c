#include "engine/reference/pool.h"

struct job {
    const struct pool *pool;
    struct maps in, out, in_gradient; /* out: its gradient in backward */
};

/* The part of a window that lies inside the map: begin <= index < end in t, h, w. */
struct overlap {
    int begin[3], end[3];
};

static struct overlap find_overlap(const struct op *op, int t, int h, int w)
{
    const int at[3] = { t, h, w };
    struct overlap overlap;
    for (int d = 0; d < 3; d++) {
        int begin = at[d] * op->stride[d] - op->front[d], end = begin + op->kernel[d];
        overlap.begin[d] = begin < 0 ? 0 : begin;
        overlap.end[d] = end > op->size_in[d] ? op->size_in[d] : end;
    }
    return overlap;
}

static size_t find_index(const int size[3], int t, int h, int w)
{
    return ((size_t)t * (size_t)size[1] + (size_t)h) * (size_t)size[2] + (size_t)w;
}

/* The index of the first largest element; of the last NaN if there is one, so that it shows. */
static size_t find_maximum(const struct op *op, const struct overlap *at, const float *map)
{
    size_t best = find_index(op->size_in, at->begin[0], at->begin[1], at->begin[2]);
    for (int t = at->begin[0]; t < at->end[0]; t++)
        for (int h = at->begin[1]; h < at->end[1]; h++) {
            size_t i = find_index(op->size_in, t, h, at->begin[2]);
            for (int w = at->begin[2]; w < at->end[2]; w++, i++)
                if (map[i] > map[best] || map[i] != map[i])
                    best = i;
        }
    return best;
}

static double find_mean(const struct op *op, const struct overlap *at, const float *map)
{
    double sum = 0;
    for (int t = at->begin[0]; t < at->end[0]; t++)
        for (int h = at->begin[1]; h < at->end[1]; h++) {
            size_t i = find_index(op->size_in, t, h, at->begin[2]);
            for (int w = at->begin[2]; w < at->end[2]; w++, i++)
                sum += map[i];
        }
    return sum / ((double)op->kernel[0] * op->kernel[1] * op->kernel[2]);
}

static void spread_mean(const struct op *op, const struct overlap *at, double gradient,
                        float *in_gradient)
{
    float share = (float)(gradient / ((double)op->kernel[0] * op->kernel[1] * op->kernel[2]));
    for (int t = at->begin[0]; t < at->end[0]; t++)
        for (int h = at->begin[1]; h < at->end[1]; h++) {
            size_t i = find_index(op->size_in, t, h, at->begin[2]);
            for (int w = at->begin[2]; w < at->end[2]; w++, i++)
                in_gradient[i] += share;
        }
}

static i3d_status forward_channel(size_t index, int worker, void *context)
{
    (void)worker;
    const struct job *job = context;
    const struct op *op = job->pool->op;
    int n = (int)(index / (size_t)op->channels), c = (int)(index % (size_t)op->channels);
    const float *in = maps_channel(&job->in, n, c);
    float *out = maps_channel(&job->out, n, c);
    for (int t = 0; t < op->size_out[0]; t++)
        for (int h = 0; h < op->size_out[1]; h++)
            for (int w = 0; w < op->size_out[2]; w++) {
                struct overlap overlap = find_overlap(op, t, h, w);
                *out++ = job->pool->mean ? (float)find_mean(op, &overlap, in)
                                         : in[find_maximum(op, &overlap, in)];
            }
    return I3D_OK;
}

i3d_status pool_forward(const struct pool *pool, struct maps in, struct maps out)
{
    struct job job = { .pool = pool, .in = in, .out = out };
    size_t maps = (size_t)pool->count * (size_t)pool->op->channels;
    return team_run(pool->team, maps, forward_channel, &job);
}

static i3d_status backward_channel(size_t index, int worker, void *context)
{
    (void)worker;
    const struct job *job = context;
    const struct op *op = job->pool->op;
    int n = (int)(index / (size_t)op->channels), c = (int)(index % (size_t)op->channels);
    const float *in = maps_channel(&job->in, n, c), *out_gradient = maps_channel(&job->out, n, c);
    float *in_gradient = maps_channel(&job->in_gradient, n, c);
    for (int t = 0; t < op->size_out[0]; t++)
        for (int h = 0; h < op->size_out[1]; h++)
            for (int w = 0; w < op->size_out[2]; w++, out_gradient++) {
                struct overlap overlap = find_overlap(op, t, h, w);
                if (job->pool->mean)
                    spread_mean(op, &overlap, *out_gradient, in_gradient);
                else
                    in_gradient[find_maximum(op, &overlap, in)] += *out_gradient;
            }
    return I3D_OK;
}

i3d_status pool_backward(const struct pool *pool, struct maps in, struct maps out_gradient,
                         struct maps in_gradient)
{
    struct job job = { .pool = pool, .in = in, .out = out_gradient, .in_gradient = in_gradient };
    size_t maps = (size_t)pool->count * (size_t)pool->op->channels;
    return team_run(pool->team, maps, backward_channel, &job);
}
