/* A step of the optimizer over all parameters at once: whether it is finite, then the rule. */
#include "engine/cuda/kernels/element.h"

/* Floats that a block has of a segment. */
enum { PIECE = 16 * THREADS };

uint32_t segments_place(struct segment *segments, int count)
{
    uint32_t blocks = 0;
    for (int i = 0; i < count; i++) {
        segments[i].first_block = blocks;
        blocks += (uint32_t)cover(segments[i].count, PIECE);
    }
    return blocks;
}

DEVICE const struct segment *find_segment(const struct segments *segments, uint32_t block)
{
    uint32_t low = 0, high = (uint32_t)segments->count;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (segments->list[middle].first_block <= block)
            low = middle;
        else
            high = middle;
    }
    return &segments->list[low];
}

/* The part of a segment that a block has: from `begin` on, `count` floats. */
struct piece {
    const struct segment *segment;
    size_t begin;
    uint32_t count;
};

DEVICE struct piece find_piece(const struct segments *segments, uint32_t block)
{
    struct piece piece;
    piece.segment = find_segment(segments, block);
    piece.begin = (size_t)(block - piece.segment->first_block) * PIECE;
    size_t left = piece.segment->count - piece.begin;
    piece.count = left < PIECE ? (uint32_t)left : PIECE;
    return piece;
}

/* --- Check ----------------------------------------------------------------------------------- */

KERNEL(sum_squares, struct check_args)
{
    SHARED(double, sums, THREADS);
    bool is_param = BLOCK.x < args.params.blocks;
    PHASE(thread)
    {
        struct piece piece = is_param ? find_piece(&args.params, BLOCK.x)
                                      : find_piece(&args.norms, BLOCK.x - args.params.blocks);
        const float *data =
            (is_param ? args.gradients : args.statistics) + piece.segment->at + piece.begin;
        double sum = 0;
        for (uint32_t i = thread; i < piece.count; i += THREADS)
            sum += (double)data[i] * data[i];
        sums[thread] = sum;
    }
    SUM_BLOCK(sums)
    NEXT_PHASE(thread)
    {
        if (thread == 0)
            args.workspace[BLOCK.x] = sums[0];
    }
}

/* MindSpore's rule. */
DEVICE void adapt_scale(struct loss_scale *scale, bool skipped)
{
    enum { WINDOW = 2000 };
    const float most = 0x1p126f; /* whose inverse is a normal number */
    scale->good++;
    if (skipped) {
        scale->scale = scale->scale > 2 ? scale->scale / 2 : 1;
        scale->good = 0;
    } else if (scale->good >= WINDOW) {
        scale->scale = scale->scale < most ? scale->scale * 2 : most;
        scale->good = 0;
    }
    scale->unscale = 1 / scale->scale;
}

/* `bad`: the first block whose sum is not finite, the number of all if there is none. */
DEVICE void tell_result(const struct check_args *args, uint32_t bad, double squares)
{
    struct step_result *out = args->out;
    double loss = args->loss ? *args->loss : args->input->loss;
    uint32_t params = args->params.blocks;
    out->step = args->input->step;
    out->loss = loss;
    out->param = -1;
    if (bad < params)
        out->param = find_segment(&args->params, bad)->param;
    else if (bad < params + args->norms.blocks)
        out->param = find_segment(&args->norms, bad - params)->param;
    out->gradient_norm = out->param < 0 ? sqrt(squares) / args->input->clips : 0;
    out->skipped = out->param >= 0 || !isfinite(loss);
    if (args->scale)
        adapt_scale(args->scale, out->skipped);
}

KERNEL(check_sums, struct check_args)
{
    SHARED(double, sums, THREADS);
    SHARED(uint32_t, bad, THREADS);
    uint32_t params = args.params.blocks, blocks = params + args.norms.blocks;
    PHASE(thread)
    {
        sums[thread] = 0;
        bad[thread] = blocks;
        for (uint32_t block = thread; block < blocks; block += THREADS) {
            double sum = args.workspace[block];
            if (!isfinite(sum) && block < bad[thread])
                bad[thread] = block;
            sums[thread] += block < params ? sum : 0;
        }
    }
    for (unsigned half = THREADS / 2; half > 0; half /= 2) {
        NEXT_PHASE(thread)
        {
            if (thread >= half)
                continue;
            sums[thread] += sums[thread + half];
            bad[thread] = bad[thread] < bad[thread + half] ? bad[thread] : bad[thread + half];
        }
    }
    NEXT_PHASE(thread)
    {
        if (thread == 0)
            tell_result(&args, bad[0], sums[0]);
    }
}

void kernel_check(kernel_stream stream, const struct check_args *args)
{
    uint32_t blocks = args->params.blocks + args->norms.blocks;
    if (blocks > 0)
        LAUNCH(sum_squares, blocks, 1, stream, *args);
    LAUNCH(check_sums, 1, 1, stream, *args);
}

/* --- Step ------------------------------------------------------------------------------------ */

/* One float of a parameter with its moments. */
struct trained {
    float data, gradient, moments[OPTIMIZER_MOMENTS_MAX];
};

/* engine/optimizer.h's rules. */
DEVICE void apply_rule(i3d_optimizer optimizer, const struct optimizer_factors *by, float l2,
                       float clips, struct trained *x)
{
    float g = x->gradient / clips;
    if (optimizer == I3D_SGD) {
        x->moments[0] = by->keep1 * x->moments[0] + g + l2 * x->data;
        x->data -= by->rate * x->moments[0];
        return;
    }
    g += l2 * x->data;
    if (optimizer == I3D_ADAM) {
        x->moments[0] = by->keep1 * x->moments[0] + by->take1 * g;
        x->moments[1] = by->keep2 * x->moments[1] + by->take2 * g * g;
        x->data -= by->rate * x->moments[0] / (sqrtf(x->moments[1]) * by->unroot + by->beside);
    } else {
        x->moments[0] = by->keep2 * x->moments[0] + by->take2 * g * g;
        x->data -= by->rate * g / (sqrtf(x->moments[0] + by->under) + by->beside);
    }
}

enum { AT_ONCE = 4 };

KERNEL(step_params, struct step_args)
{
    PHASE(thread)
    {
        if (args.result->skipped)
            continue;
        struct piece piece = find_piece(&args.params, BLOCK.x);
        float *data = args.params_data + piece.segment->at + piece.begin;
        const float *gradient = args.gradients + piece.segment->at + piece.begin;
        float *first = args.moments[0] + piece.segment->other + piece.begin;
        float *second =
            args.moments[1] ? args.moments[1] + piece.segment->other + piece.begin : first;
        struct optimizer_factors by = args.input->factors;
        float l2 = piece.segment->decayed ? by.l2 : 0, clips = args.input->clips;
        for (uint32_t begin = thread; begin < piece.count; begin += AT_ONCE * THREADS) {
            struct trained x[AT_ONCE];
            UNROLL
            for (uint32_t k = 0; k < AT_ONCE; k++) {
                uint32_t i = begin + k * THREADS;
                if (i >= piece.count)
                    continue;
                x[k].data = data[i];
                x[k].gradient = gradient[i];
                x[k].moments[0] = first[i];
                x[k].moments[1] = args.optimizer == I3D_ADAM ? second[i] : 0;
            }
            UNROLL
            for (uint32_t k = 0; k < AT_ONCE; k++) {
                uint32_t i = begin + k * THREADS;
                if (i >= piece.count)
                    continue;
                apply_rule(args.optimizer, &by, l2, clips, &x[k]);
                data[i] = x[k].data;
                first[i] = x[k].moments[0];
                if (args.optimizer == I3D_ADAM)
                    second[i] = x[k].moments[1];
            }
        }
    }
}

KERNEL(follow_statistics, struct step_args)
{
    PHASE(thread)
    {
        if (args.result->skipped)
            continue;
        struct piece piece = find_piece(&args.running, BLOCK.x);
        float *running = args.params_data + piece.segment->at + piece.begin;
        const float *batch = args.statistics + piece.segment->other + piece.begin;
        float momentum = args.input->bn_momentum;
        for (uint32_t i = thread; i < piece.count; i += THREADS)
            running[i] = (1 - momentum) * running[i] + momentum * batch[i];
    }
}

void kernel_step(kernel_stream stream, const struct step_args *args)
{
    if (args->params.blocks > 0)
        LAUNCH(step_params, args->params.blocks, 1, stream, *args);
    if (args->running.blocks > 0)
        LAUNCH(follow_statistics, args->running.blocks, 1, stream, *args);
}
