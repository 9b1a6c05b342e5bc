/* Batch norm or bias, and ReLU. Sums over positions are taken in chunks, a block each, and the
 * chunks' results are joined by a second, small launch. */
#include "engine/cuda/kernels/walk.h"

/* Blocks that are enough for sums. */
enum { CHUNKS_WANTED = 1024 };

/* --- Statistics ------------------------------------------------------------------------------ */

/* Mean and sum of squared differences of `count` numbers in each of 8 channels. */
struct spread {
    struct octet mean, squares;
    float count;
};

/* Chan, Golub, LeVeque 1979. */
DEVICE void join_spread(struct spread *to, const struct spread *with)
{
    float total = to->count + with->count, share = total > 0 ? with->count / total : 0;
    UNROLL
    for (int i = 0; i < OCTET; i++) {
        float difference = with->mean.at[i] - to->mean.at[i];
        to->squares.at[i] += with->squares.at[i] + difference * difference * (to->count * share);
        to->mean.at[i] += difference * share;
    }
    to->count = total;
}

DEVICE void measure_flight(const struct octet x[FLIGHT], int count, struct spread *out)
{
    float share = 1.f / (float)count;
    out->count = (float)count;
    UNROLL
    for (int i = 0; i < OCTET; i++) {
        float sum = 0, squares = 0;
        UNROLL
        for (int k = 0; k < FLIGHT; k++)
            sum += x[k].at[i]; /* those behind the end are 0 */
        float mean = sum * share;
        UNROLL
        for (int k = 0; k < FLIGHT; k++) {
            float difference = k < count ? x[k].at[i] - mean : 0;
            squares += difference * difference;
        }
        out->mean.at[i] = mean;
        out->squares.at[i] = squares;
    }
}

struct spread_part {
    struct octet mean, squares;
};

struct statistics_job {
    struct statistics_args args;
    struct chunks chunks;
    struct spread_part *parts; /* [chunks, octets] */
};

DEVICE struct spread measure_walk(const struct statistics_job *job, struct walk walk,
                                  struct column column, enum element type)
{
    struct spread all = { fill8(0), fill8(0), 0 };
    uint32_t rows = job->chunks.tile.rows;
    for (size_t at = walk.begin; at < walk.end; at += FLIGHT * rows) {
        struct octet x[FLIGHT];
        struct spread part;
        size_t left = (walk.end - at + rows - 1) / rows;
        load_flight(&job->args.in, at, walk.end, rows, column, type, FLIGHT, x);
        measure_flight(x, left < FLIGHT ? (int)left : FLIGHT, &part);
        join_spread(&all, &part);
    }
    return all;
}

TYPED_KERNEL(measure_chunk, struct statistics_job)
{
    SHARED(struct spread, spreads, THREADS);
    const struct tile *tile = &args.chunks.tile;
    PHASE(thread)
    {
        uint32_t row, octet;
        if (!tile_place(tile, thread, BLOCK.x, &row, &octet))
            continue;
        spreads[thread] = measure_walk(&args, walk_of(&args.chunks, BLOCK.y, row),
                                       column_of(args.args.in.channels, wide, octet), type);
    }
    for (uint32_t active = tile->rows, half; active > 1; active = half) {
        half = (active + 1) / 2;
        NEXT_PHASE(thread)
        {
            uint32_t row, octet;
            if (tile_place(tile, thread, BLOCK.x, &row, &octet) && row + half < active)
                join_spread(&spreads[thread], &spreads[thread + half * tile->lanes]);
        }
    }
    NEXT_PHASE(thread)
    {
        uint32_t row, octet;
        if (!tile_place(tile, thread, BLOCK.x, &row, &octet) || row > 0)
            continue;
        struct spread_part *part = &args.parts[(size_t)BLOCK.y * tile->octets + octet];
        part->mean = spreads[thread].mean;
        part->squares = spreads[thread].squares;
    }
}

/* The second launch: a block has 8 channels, JOINERS threads have one channel. */
enum { JOINERS = THREADS / OCTET };

struct spread1 {
    float mean, squares, count;
};

DEVICE void join_spread1(struct spread1 *to, struct spread1 with)
{
    float total = to->count + with.count, share = total > 0 ? with.count / total : 0;
    float difference = with.mean - to->mean;
    to->squares += with.squares + difference * difference * (to->count * share);
    to->mean += difference * share;
    to->count = total;
}

DEVICE float chunk_count(const struct chunks *chunks, uint32_t chunk)
{
    size_t begin = (size_t)chunk * chunks->length, left = chunks->positions - begin;
    return (float)(left < chunks->length ? left : chunks->length);
}

DEVICE void write_factors(const struct norm_factors *out, int channel, float mean, float inverse,
                          float gamma, float beta)
{
    if (out->mean)
        out->mean[channel] = mean;
    if (out->inverse)
        out->inverse[channel] = inverse;
    if (out->scale)
        out->scale[channel] = gamma * inverse;
    if (out->shift)
        out->shift[channel] = beta;
}

DEVICE void tell_statistics(const struct statistics_args *args, int channel, struct spread1 all)
{
    float variance = all.squares / all.count;
    write_factors(&args->out, channel, all.mean, 1 / sqrtf(variance + args->epsilon),
                  args->gamma[channel], args->beta[channel]);
    if (args->mean)
        args->mean[channel] = all.mean;
    if (args->variance)
        args->variance[channel] = all.count > 1 ? all.squares / (all.count - 1) : variance;
}

KERNEL(join_chunks, struct statistics_job)
{
    SHARED(struct spread1, spreads, THREADS);
    PHASE(thread)
    {
        unsigned lane = thread % OCTET;
        struct spread1 all = { 0, 0, 0 };
        for (uint32_t chunk = thread / OCTET; chunk < args.chunks.count; chunk += JOINERS) {
            const struct spread_part *part =
                &args.parts[(size_t)chunk * args.chunks.tile.octets + BLOCK.x];
            struct spread1 with = { part->mean.at[lane], part->squares.at[lane],
                                    chunk_count(&args.chunks, chunk) };
            join_spread1(&all, with);
        }
        spreads[thread] = all;
    }
    for (unsigned half = JOINERS / 2; half > 0; half /= 2) {
        NEXT_PHASE(thread)
        {
            if (thread < half * OCTET)
                join_spread1(&spreads[thread], spreads[thread + half * OCTET]);
        }
    }
    NEXT_PHASE(thread)
    {
        int channel = (int)(BLOCK.x * OCTET + thread);
        if (thread < OCTET && channel < args.args.in.channels)
            tell_statistics(&args.args, channel, spreads[thread]);
    }
}

void kernel_statistics(kernel_stream stream, const struct statistics_args *args)
{
    const struct view *in = &args->in;
    struct statistics_job job;
    job.args = *args;
    job.chunks = chunks_of(in->positions, in->channels, CHUNKS_WANTED);
    job.parts = (struct spread_part *)args->workspace;
    LAUNCH_TYPED(in->type, view_is_wide(in), measure_chunk, job.chunks.tile.tiles, job.chunks.count,
                 stream, job);
    LAUNCH(join_chunks, job.chunks.tile.octets, 1, stream, job);
}

KERNEL(make_factors, struct factors_args)
{
    PHASE(thread)
    {
        unsigned channel = BLOCK.x * THREADS + thread;
        if (channel >= (unsigned)args.channels)
            continue;
        float mean = 0, inverse = 1, gamma = 1, beta = args.beta[channel];
        if (args.gamma) {
            mean = args.mean[channel];
            inverse = 1 / sqrtf(args.variance[channel] + args.epsilon);
            gamma = args.gamma[channel];
        }
        write_factors(&args.out, (int)channel, mean, inverse, gamma, beta);
        if (args.bias)
            args.bias[channel] = beta - mean * (gamma * inverse);
    }
}

void kernel_factors(kernel_stream stream, const struct factors_args *args)
{
    LAUNCH(make_factors, cover((size_t)args->channels, THREADS), 1, stream, *args);
}

/* --- Forward --------------------------------------------------------------------------------- */

struct norm_job {
    struct norm_args args;
    struct chunks chunks;
};

/* A norm's numbers for 8 channels. */
struct norm8 {
    struct octet mean, scale, shift;
};

DEVICE struct norm8 load_norm(const struct norm_factors *factors, struct column column)
{
    struct norm8 norm = { load_factors(factors->mean, column, 0),
                          load_factors(factors->scale, column, 0),
                          load_factors(factors->shift, column, 0) };
    return norm;
}

TYPED_KERNEL(apply_norm, struct norm_job)
{
    const struct tile *tile = &args.chunks.tile;
    PHASE(thread)
    {
        uint32_t row, octet, rows = tile->rows;
        if (!tile_place(tile, thread, BLOCK.x, &row, &octet))
            continue;
        struct column column = column_of(args.args.in.channels, wide, octet);
        struct norm8 norm = load_norm(&args.args.factors, column);
        struct walk walk = walk_of(&args.chunks, BLOCK.y, row);
        for (size_t at = walk.begin; at < walk.end; at += FLIGHT * rows) {
            struct octet x[FLIGHT];
            load_flight(&args.args.in, at, walk.end, rows, column, type, FLIGHT, x);
            UNROLL
            for (unsigned k = 0; k < FLIGHT; k++) {
                UNROLL
                for (int i = 0; i < OCTET; i++) {
                    float y = (x[k].at[i] - norm.mean.at[i]) * norm.scale.at[i] + norm.shift.at[i];
                    x[k].at[i] = args.args.relu && y < 0 ? 0 : y; /* a NaN stays */
                }
                if (at + k * rows < walk.end)
                    store8(&x[k], &args.args.out, at + k * rows, column, type);
            }
        }
    }
}

void kernel_norm(kernel_stream stream, const struct norm_args *args)
{
    const struct view *in = &args->in;
    struct norm_job job;
    job.args = *args;
    job.chunks = chunks_of(in->positions, in->channels, BLOCKS_MAX);
    LAUNCH_TYPED(in->type, view_is_wide(in) && view_is_wide(&args->out), apply_norm,
                 job.chunks.tile.tiles, job.chunks.count, stream, job);
}

/* --- Backward -------------------------------------------------------------------------------- */

/* Sums over a chunk of g and of g (in - mean); of all positions what becomes of them. */
struct sums {
    struct octet gradient, product;
};

struct norm_backward_job {
    struct norm_backward_args args;
    struct chunks chunks;
    struct sums *parts;  /* [chunks, octets] */
    struct sums *shares; /* [octets]: mean(g), inverse^2 mean(g (in - mean)) */
};

/* The gradient where the ReLU let it through; x is less its mean. */
DEVICE float cut_gradient(float gradient, float x, float scale, float shift, bool relu)
{
    return relu && !(x * scale + shift > 0) ? 0 : gradient;
}

DEVICE void add_sums(struct sums *to, const struct sums *with)
{
    UNROLL
    for (int i = 0; i < OCTET; i++) {
        to->gradient.at[i] += with->gradient.at[i];
        to->product.at[i] += with->product.at[i];
    }
}

DEVICE struct sums sum_walk(const struct norm_backward_job *job, struct walk walk,
                            struct column column, enum element type)
{
    struct norm8 norm = load_norm(&job->args.factors, column);
    struct sums sums = { fill8(0), fill8(0) };
    uint32_t rows = job->chunks.tile.rows;
    for (size_t at = walk.begin; at < walk.end; at += PAIR_FLIGHT * rows) {
        struct octet x[PAIR_FLIGHT], g[PAIR_FLIGHT]; /* behind the end g is 0 */
        load_flight(&job->args.in, at, walk.end, rows, column, type, PAIR_FLIGHT, x);
        load_flight(&job->args.out_gradient, at, walk.end, rows, column, type, PAIR_FLIGHT, g);
        UNROLL
        for (int k = 0; k < PAIR_FLIGHT; k++) {
            UNROLL
            for (int i = 0; i < OCTET; i++) {
                float centred = x[k].at[i] - norm.mean.at[i];
                float cut = cut_gradient(g[k].at[i], centred, norm.scale.at[i], norm.shift.at[i],
                                         job->args.relu);
                sums.gradient.at[i] += cut;
                sums.product.at[i] += cut * centred;
            }
        }
    }
    return sums;
}

TYPED_KERNEL(sum_chunk, struct norm_backward_job)
{
    SHARED(struct sums, sums, THREADS);
    const struct tile *tile = &args.chunks.tile;
    PHASE(thread)
    {
        uint32_t row, octet;
        if (!tile_place(tile, thread, BLOCK.x, &row, &octet))
            continue;
        sums[thread] = sum_walk(&args, walk_of(&args.chunks, BLOCK.y, row),
                                column_of(args.args.in.channels, wide, octet), type);
    }
    for (uint32_t active = tile->rows, half; active > 1; active = half) {
        half = (active + 1) / 2;
        NEXT_PHASE(thread)
        {
            uint32_t row, octet;
            if (tile_place(tile, thread, BLOCK.x, &row, &octet) && row + half < active)
                add_sums(&sums[thread], &sums[thread + half * tile->lanes]);
        }
    }
    NEXT_PHASE(thread)
    {
        uint32_t row, octet;
        if (tile_place(tile, thread, BLOCK.x, &row, &octet) && row == 0)
            args.parts[(size_t)BLOCK.y * tile->octets + octet] = sums[thread];
    }
}

struct sums1 {
    float gradient, product;
};

DEVICE void tell_sums(const struct norm_backward_job *job, unsigned octet, unsigned lane,
                      struct sums1 all)
{
    const struct norm_backward_args *args = &job->args;
    unsigned channel = octet * OCTET + lane;
    float inverse = args->factors.inverse[channel];
    float unscale = args->unscale ? *args->unscale : 1;
    float positions = (float)args->in.positions;
    if (args->beta_gradient)
        args->beta_gradient[channel] = all.gradient * unscale;
    if (args->gamma_gradient)
        args->gamma_gradient[channel] = all.product * inverse * unscale;
    job->shares[octet].gradient.at[lane] = all.gradient / positions;
    job->shares[octet].product.at[lane] = all.product / positions * inverse * inverse;
}

KERNEL(join_sums, struct norm_backward_job)
{
    SHARED(struct sums1, sums, THREADS);
    PHASE(thread)
    {
        unsigned lane = thread % OCTET;
        struct sums1 all = { 0, 0 };
        for (uint32_t chunk = thread / OCTET; chunk < args.chunks.count; chunk += JOINERS) {
            const struct sums *part =
                &args.parts[(size_t)chunk * args.chunks.tile.octets + BLOCK.x];
            all.gradient += part->gradient.at[lane];
            all.product += part->product.at[lane];
        }
        sums[thread] = all;
    }
    for (unsigned half = JOINERS / 2; half > 0; half /= 2) {
        NEXT_PHASE(thread)
        {
            if (thread >= half * OCTET)
                continue;
            sums[thread].gradient += sums[thread + half * OCTET].gradient;
            sums[thread].product += sums[thread + half * OCTET].product;
        }
    }
    NEXT_PHASE(thread)
    {
        if (thread < OCTET && (int)(BLOCK.x * OCTET + thread) < args.args.in.channels)
            tell_sums(&args, BLOCK.x, thread, sums[thread]);
    }
}

DEVICE void spread_gradient(const struct norm_backward_args *args, const struct norm8 *norm,
                            const struct sums *shares, const struct octet *x, struct octet *g)
{
    UNROLL
    for (int i = 0; i < OCTET; i++) {
        float scale = norm->scale.at[i], centred = x->at[i] - norm->mean.at[i];
        float cut = cut_gradient(g->at[i], centred, scale, norm->shift.at[i], args->relu);
        g->at[i] = scale * (cut - shares->gradient.at[i] - centred * shares->product.at[i]);
    }
}

TYPED_KERNEL(spread_chunk, struct norm_backward_job)
{
    const struct tile *tile = &args.chunks.tile;
    PHASE(thread)
    {
        uint32_t row, octet, rows = tile->rows;
        if (!tile_place(tile, thread, BLOCK.x, &row, &octet))
            continue;
        struct column column = column_of(args.args.in.channels, wide, octet);
        struct norm8 norm = load_norm(&args.args.factors, column);
        struct sums shares = { fill8(0), fill8(0) };
        if (!args.args.frozen)
            shares = args.shares[octet];
        struct walk walk = walk_of(&args.chunks, BLOCK.y, row);
        for (size_t at = walk.begin; at < walk.end; at += PAIR_FLIGHT * rows) {
            struct octet x[PAIR_FLIGHT], g[PAIR_FLIGHT];
            load_flight(&args.args.in, at, walk.end, rows, column, type, PAIR_FLIGHT, x);
            load_flight(&args.args.out_gradient, at, walk.end, rows, column, type, PAIR_FLIGHT, g);
            UNROLL
            for (unsigned k = 0; k < PAIR_FLIGHT; k++) {
                spread_gradient(&args.args, &norm, &shares, &x[k], &g[k]);
                if (at + k * rows < walk.end)
                    store8(&g[k], &args.args.in_gradient, at + k * rows, column, type);
            }
        }
    }
}

size_t norm_workspace(size_t positions, int channels)
{
    struct chunks chunks = chunks_of(positions, channels, CHUNKS_WANTED);
    return ((size_t)chunks.count + 1) * chunks.tile.octets * sizeof(struct sums);
}

void kernel_norm_backward(kernel_stream stream, const struct norm_backward_args *args)
{
    const struct view *in = &args->in;
    struct norm_backward_job job;
    job.args = *args;
    job.chunks = chunks_of(in->positions, in->channels, CHUNKS_WANTED);
    bool wide = view_is_wide(in) && view_is_wide(&args->out_gradient);
    job.shares = (struct sums *)args->workspace;
    job.parts = job.shares + job.chunks.tile.octets;
    if (!args->frozen || args->gamma_gradient || args->beta_gradient) {
        LAUNCH_TYPED(in->type, wide, sum_chunk, job.chunks.tile.tiles, job.chunks.count, stream,
                     job);
        LAUNCH(join_sums, job.chunks.tile.octets, 1, stream, job);
    }
    if (!args->in_gradient.data)
        return;
    job.chunks = chunks_of(in->positions, in->channels, BLOCKS_MAX);
    wide = wide && view_is_wide(&args->in_gradient);
    LAUNCH_TYPED(in->type, wide, spread_chunk, job.chunks.tile.tiles, job.chunks.count, stream,
                 job);
}
