#include "engine/cuda/check/check.h"

#include <string.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* A view of drawn numbers, or of what is written, in `pitch` channels of which it has those from
 * `first` on. */
static struct view make_view(struct trial *trial, const char *name, size_t positions, int channels,
                             int first, int pitch)
{
    enum data data = (enum data)trial->type;
    size_t count = positions * (size_t)pitch;
    char *memory =
        name ? trial_output(trial, name, data, count) : trial_draw(trial, data, count, -1, 1);
    return (struct view){ .data = memory + (size_t)first * element_bytes(trial->type),
                          .type = trial->type,
                          .channels = channels,
                          .positions = positions,
                          .pitch = (size_t)pitch };
}

static double view_bytes(const struct view *view)
{
    return (double)view->positions * view->channels * (double)element_bytes(view->type);
}

static float *draw(struct trial *trial, size_t count, double low, double high)
{
    return trial_draw(trial, DATA_F32, count, low, high);
}

static float *output(struct trial *trial, const char *name, size_t count)
{
    return trial_output(trial, name, DATA_F32, count);
}

/* --- Norm: positions, channels, first, pitch ------------------------------------------------- */

static const int norm_shapes[][12] = { { 5000, 64, 0, 64 },
                                       { 777, 24, 8, 48 },
                                       { 333, 19, 3, 29 },
                                       { 1, 8, 0, 8 },
                                       { 9001, 264, 0, 264 } };
static const int norm_large[][12] = { { 3211264, 64, 0, 64 },
                                      { 802816, 192, 0, 192 },
                                      { 200704, 192, 192, 480 },
                                      { 25088, 208, 192, 512 } };

static struct norm_factors draw_factors(struct trial *trial, size_t channels)
{
    return (struct norm_factors){ draw(trial, channels, -.3, .3), draw(trial, channels, .5, 2),
                                  draw(trial, channels, .5, 2), draw(trial, channels, -.3, .3) };
}

static void run_statistics(struct trial *trial)
{
    const int *s = trial->shape;
    size_t positions = (size_t)s[0], channels = (size_t)s[1];
    struct statistics_args args = { .in = make_view(trial, NULL, positions, s[1], s[2], s[3]) };
    args.workspace = trial_output(trial, NULL, DATA_BYTES, norm_workspace(positions, s[1]));
    args.gamma = draw(trial, channels, .5, 2);
    args.beta = draw(trial, channels, -1, 1);
    args.epsilon = 1e-3f;
    args.out =
        (struct norm_factors){ output(trial, "mean", channels), output(trial, "inverse", channels),
                               output(trial, "scale", channels), output(trial, "shift", channels) };
    args.variance = output(trial, "variance", channels);
    trial->moved = view_bytes(&args.in);
    RUN(trial, kernel_statistics, &args);
}

static void run_norm(struct trial *trial)
{
    const int *s = trial->shape;
    struct norm_args args = { .in = make_view(trial, NULL, (size_t)s[0], s[1], 0, s[1]) };
    args.out = make_view(trial, "out", (size_t)s[0], s[1], s[2], s[3]);
    args.factors = draw_factors(trial, (size_t)s[1]);
    args.relu = true;
    trial->moved = 2 * view_bytes(&args.in);
    RUN(trial, kernel_norm, &args);
}

static void run_norm_backward(struct trial *trial)
{
    const int *s = trial->shape;
    size_t positions = (size_t)s[0], channels = (size_t)s[1];
    struct norm_backward_args args = { .in = make_view(trial, NULL, positions, s[1], 0, s[1]) };
    args.out_gradient = make_view(trial, NULL, positions, s[1], s[2], s[3]);
    args.in_gradient = make_view(trial, "in_gradient", positions, s[1], 0, s[1]);
    args.factors = draw_factors(trial, channels);
    args.relu = true;
    args.workspace = trial_output(trial, NULL, DATA_BYTES, norm_workspace(positions, s[1]));
    args.gamma_gradient = output(trial, "gamma_gradient", channels);
    args.beta_gradient = output(trial, "beta_gradient", channels);
    args.unscale = draw(trial, 1, .5, 1);
    trial->moved = 5 * view_bytes(&args.in);
    RUN(trial, kernel_norm_backward, &args);
}

static void run_factors(struct trial *trial)
{
    size_t channels = (size_t)trial->shape[1];
    struct factors_args args = { .channels = trial->shape[1],
                                 .gamma = draw(trial, channels, .5, 2),
                                 .beta = draw(trial, channels, -1, 1),
                                 .mean = draw(trial, channels, -1, 1),
                                 .variance = draw(trial, channels, .5, 2),
                                 .epsilon = 1e-3f };
    args.out.scale = output(trial, "scale", channels);
    args.out.inverse = output(trial, "inverse", channels);
    args.bias = output(trial, "bias", channels);
    RUN(trial, kernel_factors, &args);
}

/* --- Pool: count, channels, size, kernel, stride --------------------------------------------- */

static const int pool_shapes[][12] = {
    { 2, 16, 3, 9, 8, 3, 3, 3, 1, 1, 1 },
    { 1, 19, 4, 7, 11, 1, 3, 3, 1, 2, 2 },
    { 3, 8, 5, 6, 7, 3, 3, 3, 2, 2, 2 },
    { 2, 264, 4, 5, 2, 2, 2, 2, 2, 2, 2 },
};
static const int pool_large[][12] = {
    { 8, 64, 32, 112, 112, 1, 3, 3, 1, 2, 2 }, { 8, 192, 32, 56, 56, 1, 3, 3, 1, 2, 2 },
    { 8, 192, 32, 28, 28, 3, 3, 3, 1, 1, 1 },  { 8, 480, 32, 28, 28, 3, 3, 3, 2, 2, 2 },
    { 8, 512, 16, 14, 14, 3, 3, 3, 1, 1, 1 },  { 8, 832, 16, 14, 14, 2, 2, 2, 2, 2, 2 },
    { 8, 832, 8, 7, 7, 3, 3, 3, 1, 1, 1 },
};

static struct window window_of(const int *s)
{
    struct window window;
    for (int d = 0; d < 3; d++) {
        int size = s[2 + d], kernel = s[5 + d], stride = s[8 + d];
        int out = (size + stride - 1) / stride, front = (out - 1) * stride + kernel - size;
        window.kernel[d] = kernel;
        window.stride[d] = stride;
        window.size_in[d] = size;
        window.size_out[d] = out;
        window.front[d] = front > 0 ? front / 2 : 0;
    }
    return window;
}

static size_t positions_of(int count, const int size[3])
{
    return (size_t)count * (size_t)size[0] * (size_t)size[1] * (size_t)size[2];
}

static struct pool_args make_pool(struct trial *trial)
{
    const int *s = trial->shape;
    struct pool_args args = { .window = window_of(s), .count = s[0] };
    args.in = make_view(trial, NULL, positions_of(s[0], args.window.size_in), s[1], 0, s[1]);
    args.out = make_view(trial, "out", positions_of(s[0], args.window.size_out), s[1], 0, s[1]);
    trial->moved = view_bytes(&args.in) + view_bytes(&args.out);
    return args;
}

static void run_pool(struct trial *trial)
{
    struct pool_args args = make_pool(trial);
    RUN(trial, kernel_pool, &args);
}

static void run_pool_winner(struct trial *trial)
{
    struct pool_args args = make_pool(trial);
    size_t bytes = pool_winner_bytes(&args.out);
    args.winner = trial_output(trial, "winner", DATA_BYTES, bytes);
    trial->moved += (double)bytes;
    RUN(trial, kernel_pool, &args);
}

/* The winners are those of a forward pass, which a timed trial runs once. */
static void run_pool_backward(struct trial *trial)
{
    struct pool_args forward = make_pool(trial);
    size_t bytes = pool_winner_bytes(&forward.out);
    forward.winner = trial_output(trial, NULL, DATA_BYTES, bytes);
    struct pool_backward_args args = { .window = forward.window,
                                       .count = forward.count,
                                       .winner = forward.winner };
    args.out_gradient = make_view(trial, NULL, forward.out.positions, forward.out.channels, 0,
                                  forward.out.channels);
    args.in_gradient = make_view(trial, "in_gradient", forward.in.positions, forward.in.channels, 0,
                                 forward.in.channels);
    trial->moved += (double)bytes;
    if (trial->prepare)
        RUN(trial, kernel_pool, &forward);
    RUN(trial, kernel_pool_backward, &args);
}

/* --- Clips: count, channels, size, from, 0: not folded --------------------------------------- */

static const int clip_shapes[][12] = { { 2, 3, 4, 9, 8, 12, 13, 1 },
                                       { 3, 2, 5, 6, 7, 6, 7, 1 },
                                       { 2, 3, 3, 5, 6, 8, 9, 0 } };
static const int clip_large[][12] = { { 8, 3, 64, 224, 224, 256, 340, 1 },
                                      { 8, 2, 64, 224, 224, 256, 340, 1 },
                                      { 8, 3, 64, 224, 224, 256, 340, 0 } };

static struct fold fold_of(const int *s)
{
    const int stem[12] = { s[0], s[1], s[2], s[3], s[4], 7, 7, 7, 2, 2, 2 };
    struct window window = window_of(stem);
    return fold_window(&window);
}

static void run_clip(struct trial *trial, bool bytes)
{
    const int *s = trial->shape;
    struct fold fold = fold_of(s);
    size_t frames = (size_t)s[0] * (size_t)s[2] * (size_t)s[1];
    size_t frame = bytes ? (size_t)s[5] * (size_t)s[6] : (size_t)s[3] * (size_t)s[4];
    int channels = s[7] ? (8 * s[1] + 15) / 16 * 16 : 8;
    struct clip_cut cuts[8];
    for (int n = 0; n < s[0]; n++)
        cuts[n] =
            (struct clip_cut){ (s[5] - s[3]) / (n + 1), (s[6] - s[4]) / (n + 1), n & 1, n & 3 };
    struct clip_args args = { .bytes = bytes,
                              .from_h = s[5],
                              .from_w = s[6],
                              .count = s[0],
                              .channels = s[1],
                              .size = { s[2], s[3], s[4] },
                              .fold = s[7] ? &fold : NULL };
    args.from = trial_draw(trial, bytes ? DATA_BYTES : DATA_F32, frames * frame, bytes ? 0 : -1,
                           bytes ? 256 : 1);
    args.cuts = trial_put(trial, cuts, (size_t)s[0] * sizeof *cuts);
    args.out = make_view(trial, "out", positions_of(s[0], s[7] ? fold.size_in : args.size),
                         channels, 0, channels);
    trial->moved =
        view_bytes(&args.out) + (double)frames * s[3] * s[4] * (bytes ? 1 : (double)sizeof(float));
    RUN(trial, kernel_clip, &args);
}

static void run_clip_bytes(struct trial *trial)
{
    run_clip(trial, true);
}

static void run_clip_floats(struct trial *trial)
{
    run_clip(trial, false);
}

/* --- Weights: outs, ins, kernel, machine_ins, folded, repeated ------------------------------- */

static const int weights_shapes[][12] = { { 5, 3, 7, 7, 7, 32, 1, 2 },
                                          { 24, 16, 1, 1, 1, 16, 0, 3 },
                                          { 7, 9, 3, 3, 3, 16, 0, 1 } };
static const int weights_large[][12] = { { 192, 96, 3, 3, 3, 96, 0, 24 },
                                         { 192, 480, 1, 1, 1, 480, 0, 60 } };
enum { JOBS_MAX = 60 };

static void run_weights(struct trial *trial, bool back)
{
    const int *s = trial->shape;
    struct weights_job jobs[JOBS_MAX];
    size_t taps = 1, machine_taps = 1, count = (size_t)s[7];
    for (int d = 0; d < 3; d++) {
        taps *= (size_t)s[2 + d];
        machine_taps *= (size_t)(s[6] ? (s[2 + d] + 1) / 2 : s[2 + d]);
    }
    size_t floats = (size_t)s[0] * (size_t)s[1] * taps;
    size_t machine = (size_t)s[0] * (size_t)s[5] * machine_taps;
    enum data data = (enum data)trial->type;
    float *weight = draw(trial, floats * count, -1, 1), *scale = draw(trial, (size_t)s[0], .5, 2);
    char *to = back ? NULL : trial_output(trial, "machine", data, machine * count);
    float *from = back ? draw(trial, machine * count, -1, 1) : NULL;
    float *gradient = back ? output(trial, "gradient", floats * count) : NULL;
    for (size_t j = 0; j < count; j++)
        jobs[j] = (struct weights_job){ .weight = weight + j * floats,
                                        .scale = scale,
                                        .machine = to + j * machine * element_bytes(trial->type),
                                        .gradient = back ? gradient + j * floats : NULL,
                                        .machine_gradient = back ? from + j * machine : NULL,
                                        .outs = s[0],
                                        .ins = s[1],
                                        .kernel = { s[2], s[3], s[4] },
                                        .machine_outs = s[0],
                                        .machine_ins = s[5],
                                        .folded = s[6] };
    struct weights_args args = { .count = s[7], .type = trial->type };
    args.blocks = weights_place(jobs, s[7]);
    args.jobs = trial_put(trial, jobs, count * sizeof *jobs);
    trial->moved = (double)(floats * count * sizeof(float)) +
                   (double)(machine * count * (back ? sizeof(float) : element_bytes(trial->type)));
    if (back)
        RUN(trial, kernel_weights_back, &args);
    else
        RUN(trial, kernel_weights, &args);
}

static void run_weights_forth(struct trial *trial)
{
    run_weights(trial, false);
}

static void run_weights_back(struct trial *trial)
{
    run_weights(trial, true);
}

/* --- Sums and layouts: positions, channels, first, pitch ------------------------------------- */

static void run_sum(struct trial *trial)
{
    const int *s = trial->shape;
    struct sum_args args = { .count = SUM_MAX, .relu = true };
    for (int v = 0; v < SUM_MAX; v++)
        args.in[v] = make_view(trial, NULL, (size_t)s[0], s[1], 0, s[1]);
    args.out = make_view(trial, "out", (size_t)s[0], s[1], s[2], s[3]);
    trial->moved = (SUM_MAX + 1) * view_bytes(&args.out);
    RUN(trial, kernel_sum, &args);
}

static void run_copy(struct trial *trial)
{
    const int *s = trial->shape;
    struct copy_args args = { .in = make_view(trial, NULL, (size_t)s[0], s[1], 0, s[1]) };
    args.out = make_view(trial, "out", (size_t)s[0], s[1], s[2], s[3]);
    trial->moved = 2 * view_bytes(&args.out);
    RUN(trial, kernel_copy, &args);
}

static void run_pack(struct trial *trial)
{
    const int *s = trial->shape;
    size_t floats = (size_t)s[0] * (size_t)s[1];
    struct layout_args args = { .count = 1, .map = (size_t)s[0] };
    args.floats = draw(trial, floats, -1, 1);
    args.view = make_view(trial, "view", (size_t)s[0], s[1], s[2], s[3]);
    trial->moved = view_bytes(&args.view) + (double)(floats * sizeof(float));
    RUN(trial, kernel_pack, &args);
    args.floats = output(trial, "floats", floats);
    trial->moved *= 2;
    RUN(trial, kernel_unpack, &args);
}

/* --- Head: count, channels, t, map, classes, maximum ----------------------------------------- */

static const int head_shapes[][12] = { { 2, 64, 3, 49, 400, 0 },
                                       { 3, 19, 1, 6, 5, 1 },
                                       { 1, 264, 5, 9, 51, 0 } };
static const int head_large[][12] = { { 8, 1024, 8, 49, 400, 0 } };

static void run_head(struct trial *trial)
{
    const int *s = trial->shape;
    int window = s[5] ? s[2] : s[2] > 1 ? 2 : 1;
    size_t count = (size_t)s[0], channels = (size_t)s[1], classes = (size_t)s[4];
    size_t features = count * channels * (size_t)(s[2] - window + 1);
    size_t positions = count * (size_t)(s[2] * s[3]);
    struct head_args args = { .count = s[0],
                              .channels = s[1],
                              .classes = s[4],
                              .t = s[2],
                              .map = s[3],
                              .window = window,
                              .maximum = s[5] };
    args.in = make_view(trial, NULL, positions, s[1], 0, s[1]);
    args.features = output(trial, "features", features);
    args.winner = trial_output(trial, "winner", DATA_I32, features);
    args.keep = draw(trial, features, 0, 2);
    args.kept = output(trial, "kept", count * channels);
    args.weight = draw(trial, classes * channels, -.3, .3);
    args.bias = draw(trial, classes, -.3, .3);
    args.logits = output(trial, "logits", count * classes);
    args.logits_gradient = draw(trial, count * classes, -1, 1);
    args.weight_gradient = output(trial, "weight_gradient", classes * channels);
    args.bias_gradient = output(trial, "bias_gradient", classes);
    args.kept_gradient = output(trial, "kept_gradient", count * channels);
    args.in_gradient = make_view(trial, "in_gradient", positions, s[1], 0, s[1]);
    trial->moved = 2 * view_bytes(&args.in) + 3. * (double)(classes * channels * sizeof(float));
    RUN(trial, kernel_head, &args);
    RUN(trial, kernel_head_backward, &args);
}

static void run_loss(struct trial *trial)
{
    const int *s = trial->shape;
    size_t count = (size_t)s[0], classes = (size_t)s[4];
    struct loss_args args = { .count = s[0], .classes = s[4] };
    args.logits = draw(trial, count * classes, -9, 9);
    args.labels = trial_draw(trial, DATA_I32, count, 0, s[4]);
    args.gradient = output(trial, "gradient", count * classes);
    args.losses = trial_output(trial, "losses", DATA_F64, count);
    args.loss = trial_output(trial, "loss", DATA_F64, 1);
    RUN(trial, kernel_loss, &args);
}

/* --- Step: segments, floats of each, kind ---------------------------------------------------- */

static const int step_shapes[][12] = { { 3, 9001, I3D_SGD },
                                       { 5, 4097, I3D_ADAM },
                                       { 2, 100, I3D_RMSPROP } };
static const int step_large[][12] = { { 100, 127000, I3D_SGD }, { 100, 127000, I3D_ADAM } };
enum { SEGMENTS_MAX = 100 };

static void run_step(struct trial *trial)
{
    const int *s = trial->shape;
    struct optimizer optimizer = { .kind = (i3d_optimizer)s[2],
                                   .momentum = .9,
                                   .weight_decay = 1e-4 };
    struct segment list[SEGMENTS_MAX], running[2] = { { .at = 0, .count = 20, .param = 0 },
                                                      { .at = 30, .count = 20, .other = 20 } };
    size_t floats = (size_t)s[0] * (size_t)s[1] + 100;
    for (int i = 0; i < s[0]; i++)
        list[i] = (struct segment){ .at = 100 + (size_t)i * (size_t)s[1],
                                    .count = (size_t)s[1],
                                    .other = (size_t)i * (size_t)s[1],
                                    .param = i,
                                    .decayed = i % 2 };
    struct segments params = { NULL, s[0], segments_place(list, s[0]) };
    struct segments rest = { NULL, 2, segments_place(running, 2) };
    params.list = trial_put(trial, list, (size_t)s[0] * sizeof *list);
    rest.list = trial_put(trial, running, sizeof running);
    struct step_input input = { .step = 3,
                                .factors = optimizer_factors(&optimizer, 3, .01),
                                .clips = 8,
                                .bn_momentum = .1f,
                                .loss = 2 };
    struct check_args check = { .params = params, .norms = rest };
    check.gradients = draw(trial, floats, -1, 1);
    check.statistics = draw(trial, 60, .5, 1);
    check.input = trial_put(trial, &input, sizeof input);
    check.workspace = trial_output(trial, NULL, DATA_F64, params.blocks + rest.blocks);
    check.out = trial_output(trial, NULL, DATA_STRUCTS, sizeof *check.out);
    struct step_args step = { .optimizer = optimizer.kind,
                              .params = params,
                              .running = rest,
                              .gradients = check.gradients,
                              .statistics = check.statistics,
                              .input = check.input,
                              .result = check.out };
    step.params_data = trial_change(trial, "params", DATA_F32, floats, -1, 1);
    step.moments[0] = trial_change(trial, "moment 1", DATA_F32, floats, 0, 1);
    step.moments[1] =
        optimizer.kind == I3D_ADAM ? trial_change(trial, "moment 2", DATA_F32, floats, 0, 1) : NULL;
    trial->moved = (double)floats * (optimizer.kind == I3D_ADAM ? 8 : 6) * (double)sizeof(float);
    RUN(trial, kernel_check, &check);
    RUN(trial, kernel_step, &step);
}

/* ---------------------------------------------------------------------------------------------- */

#define CASE(name, run, shapes, large, typed)                                                      \
    {                                                                                              \
        name, run, shapes, large, COUNT(shapes), COUNT(large), typed                               \
    }

const struct check_case check_cases[] = {
    CASE("clip of bytes", run_clip_bytes, clip_shapes, clip_large, true),
    CASE("clip of floats", run_clip_floats, clip_shapes, clip_large, true),
    CASE("weights", run_weights_forth, weights_shapes, weights_large, true),
    CASE("weights back", run_weights_back, weights_shapes, weights_large, false),
    CASE("factors", run_factors, norm_shapes, norm_large, false),
    CASE("statistics", run_statistics, norm_shapes, norm_large, true),
    CASE("norm", run_norm, norm_shapes, norm_large, true),
    CASE("norm backward", run_norm_backward, norm_shapes, norm_large, true),
    CASE("pool", run_pool, pool_shapes, pool_large, true),
    CASE("pool, winners", run_pool_winner, pool_shapes, pool_large, true),
    CASE("pool backward", run_pool_backward, pool_shapes, pool_large, true),
    CASE("sum of 4", run_sum, norm_shapes, norm_large, true),
    CASE("copy", run_copy, norm_shapes, norm_large, true),
    CASE("pack and unpack", run_pack, norm_shapes, norm_large, true),
    CASE("head both ways", run_head, head_shapes, head_large, true),
    CASE("loss", run_loss, head_shapes, head_large, false),
    CASE("check and step", run_step, step_shapes, step_large, false),
};
const int check_case_count = COUNT(check_cases);
