/* Every convolution larger than 1x1x1 of the network by oneDNN and by our own kernels, each pass:
 * convolution_bench [--table] [T H W]
 *
 * Prints milliseconds of one thread's processor time, the least of some runs taken in turns, so
 * that a busy neighbour disturbs little, and GFLOP/s as if each were computed directly. A pass
 * whose weights change with each step takes them anew. --table prints, for two sizes of clips, the
 * rows of src/engine/cpu/winograd_table.h. */
#include "engine/cpu/convolution.h"
#include "engine/cpu/primitive.h"
#include "engine/cpu/winograd.h"

#include "bench.h"

#include <i3d/model.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS = 4, ONEDNN = TILE_COUNT, CHOICES };

/* What is timed: the forward pass of inference, then the passes of a training step. */
enum job { INFER, STEP, DATA, WEIGHTS, JOBS };

/* A millisecond is worth so many megabytes of transformed weights that inference keeps: of large
 * clips the activations fill the memory. */
static double worth_of(const int size[3])
{
    return (double)size[0] * size[1] * size[2] > 1e6 ? .8 : 8;
}

extern const struct provider provider_onednn;

struct bench {
    const struct op *op;
    struct convolution_shape shape;
    const struct winograd_kernels *kernels;
    float *in, *out, *weight, *bias, *gradient, *transformed, *scratch;
    double seconds[JOBS][CHOICES]; /* 0: cannot */
    double megabytes[CHOICES];     /* of weights in inference */
    double worth;                  /* of a millisecond in megabytes */
};

static double now(void)
{
    return bench_now(CLOCK_THREAD_CPUTIME_ID);
}

static void keep_best(struct bench *bench, enum job job, int choice, double seconds)
{
    double *best = &bench->seconds[job][choice];
    if (*best == 0 || seconds < *best)
        *best = seconds;
}

static enum pass pass_of(enum job job)
{
    return job == WEIGHTS ? PASS_BACKWARD_WEIGHTS : job == DATA ? PASS_BACKWARD_DATA : PASS_FORWARD;
}

static void time_onednn(struct bench *bench, enum job job)
{
    struct convolution_shape shape = bench->shape;
    void *state, *scratch;
    shape.fused = job == INFER;
    bench_check(provider_onednn.create(&shape, pass_of(job), &state));
    struct convolution_bytes bytes = provider_onednn.bytes(state);
    bench->megabytes[ONEDNN] = (double)bytes.held / 1e6;
    scratch = bench_draw(bytes.run / 4 + bytes.load / 4 + 1);
    for (int run = 0; run < RUNS; run++) {
        double start = now();
        if (run == 0 || job != INFER)
            bench_check(provider_onednn.load(state, bench->weight, bench->bias, scratch));
        if (job == INFER)
            start = now();
        if (job == DATA)
            bench_check(provider_onednn.run(state, bench->out, NULL, bench->in, scratch));
        else if (job == WEIGHTS)
            bench_check(
                provider_onednn.run(state, bench->in, bench->out, bench->gradient, scratch));
        else
            bench_check(provider_onednn.run(state, bench->in, NULL, bench->out, scratch));
        keep_best(bench, job, ONEDNN, now() - start);
    }
    provider_onednn.free(state);
    free(scratch);
}

static void time_winograd(struct bench *bench, enum job job, enum winograd_tile tile)
{
    struct winograd winograd =
        winograd_describe(bench->op, tile, job == DATA, bench->kernels->lanes, 1, 1);
    const float *bias = job == INFER ? bench->bias : NULL;
    bench->megabytes[tile] = 4e-6 * (double)winograd_weight_floats(&winograd);
    bench->transformed = bench_draw(winograd_weight_floats(&winograd));
    bench->scratch = bench_draw(job == WEIGHTS ? winograd_weights_scratch_floats(&winograd)
                                               : winograd_scratch_floats(&winograd));
    for (int run = 0; run < RUNS; run++) {
        double start = now();
        if (job == STEP || job == DATA)
            bench->kernels->load(&winograd, bench->weight, bench->transformed);
        if (job == DATA)
            bench->kernels->run(&winograd, bench->out, bench->transformed, NULL, bench->in,
                                bench->scratch);
        else if (job == WEIGHTS)
            bench->kernels->run_weights(&winograd, bench->in, bench->out, bench->gradient,
                                        bench->scratch);
        else
            bench->kernels->run(&winograd, bench->in, bench->transformed, bias, bench->out,
                                bench->scratch);
        keep_best(bench, job, (int)tile, now() - start);
    }
    free(bench->transformed);
    free(bench->scratch);
}

static size_t map_of(const int size[3])
{
    return (size_t)size[0] * (size_t)size[1] * (size_t)size[2];
}

static size_t whole(const struct bench *bench, int channels)
{
    size_t lanes = (size_t)bench->kernels->lanes;
    return ((size_t)channels + lanes - 1) / lanes * lanes;
}

static void time_convolution(const struct op *op, struct bench *out)
{
    struct bench bench = { .op = op };
    bench.kernels = isa_winograd(isa_best());
    bench.shape = (struct convolution_shape){
        .op = op, .samples = 1, .isa = isa_best(), .row_major = op->stride[0] == 2
    };
    size_t weights = (size_t)op->in_channels * (size_t)op->channels * map_of(op->kernel);
    bench.in = bench_draw(whole(&bench, op->in_channels) * map_of(op->size_in));
    bench.out = bench_draw(whole(&bench, op->channels) * op_map(op));
    bench.weight = bench_draw(weights);
    bench.gradient = bench_draw(weights);
    bench.bias = bench_draw(whole(&bench, op->channels) + 16);
    for (enum job job = 0; job < JOBS; job++) {
        if (job == DATA && bench.shape.row_major)
            continue;
        time_onednn(&bench, job);
        for (enum winograd_tile tile = 0; tile < TILE_COUNT; tile++)
            if (winograd_fits(op, tile))
                time_winograd(&bench, job, tile);
    }
    *out = bench;
    free(bench.in);
    free(bench.out);
    free(bench.weight);
    free(bench.gradient);
    free(bench.bias);
}

/* By time; of what inference keeps, by time and bytes. What a step computes goes through all batch
 * norms and ReLUs of a batch, which need exact numbers. */
static int best_of(const struct bench *bench, enum job job)
{
    int best = ONEDNN;
    double least = 1e9;
    for (int choice = 0; choice < CHOICES; choice++) {
        double cost = bench->seconds[job][choice] * 1e3;
        if (cost == 0 || (job == STEP && choice == TILE_3X5X5))
            continue;
        if (job == INFER)
            cost += bench->megabytes[choice] / bench->worth;
        if (cost < least) {
            least = cost;
            best = choice;
        }
    }
    return best;
}

static const char *name_of(int choice)
{
    return choice == ONEDNN ? "onednn" : winograd_extents[choice].name;
}

static void print_convolution(const struct bench *bench)
{
    static const char *const jobs[] = { "infer", "step", "data", "weights" };
    const struct op *op = bench->op;
    double flops =
        2e-9 * op->in_channels * op->channels * (double)map_of(op->kernel) * (double)op_map(op);
    for (enum job job = 0; job < JOBS; job++) {
        if (bench->seconds[job][ONEDNN] == 0)
            continue;
        printf("%-14s %-8s", op->name, jobs[job]);
        for (int choice = CHOICES - 1; choice >= 0; choice--)
            if (bench->seconds[job][choice] != 0)
                printf("%s %8.2f ms %4.0f GFLOP/s %5.1f MB | ", name_of(choice),
                       bench->seconds[job][choice] * 1e3, flops / bench->seconds[job][choice],
                       bench->megabytes[choice]);
        printf("best %s\n", name_of(best_of(bench, job)));
    }
    fflush(stdout);
}

static const char *row_name(const struct bench *bench, enum job job)
{
    static const char *const names[] = { [TILE_2X4X4] = "TILE_2X4X4",
                                         [TILE_4X4X4] = "TILE_4X4X4",
                                         [TILE_3X3X3] = "TILE_3X3X3",
                                         [TILE_3X5X5] = "TILE_3X5X5",
                                         [ONEDNN] = "TILE_COUNT" };
    return names[best_of(bench, job)];
}

static void print_row(const struct bench *bench)
{
    const struct op *op = bench->op;
    printf("    { %d, %d, %d, { %d, %d, %d }, %s, { %s, %s, %s } },\n", op->kernel[0],
           op->in_channels, op->channels, op->size_out[0], op->size_out[1], op->size_out[2],
           row_name(bench, STEP), row_name(bench, INFER), row_name(bench, DATA),
           row_name(bench, WEIGHTS));
    fflush(stdout);
}

static bool same(const struct op *a, const struct op *b)
{
    return a->kind == b->kind && a->in_channels == b->in_channels && a->channels == b->channels &&
           memcmp(a->kernel, b->kernel, sizeof a->kernel) == 0 &&
           memcmp(a->size_out, b->size_out, sizeof a->size_out) == 0;
}

static void run(const int size[3], bool table)
{
    i3d_model_options options = { .channels = 3, .classes = 400, .bn_epsilon = 1e-3 };
    static struct graph graph;
    i3d_model *model;
    bench_check(i3d_model_create(&options, &model));
    bench_check(graph_create(model, size[0], size[1], size[2], &graph));
    for (int i = 0; i < graph.op_count; i++) {
        const struct op *op = &graph.ops[i];
        bool known = op->kind != OP_CONV || op->kernel[0] == 1;
        for (int before = 0; before < i && !known; before++)
            known = same(op, &graph.ops[before]);
        if (known)
            continue;
        struct bench bench;
        time_convolution(op, &bench);
        bench.worth = worth_of(size);
        (table ? print_row : print_convolution)(&bench);
    }
    i3d_model_free(model);
}

int main(int argc, char **argv)
{
    bool table = argc > 1 && strcmp(argv[1], "--table") == 0;
    int size[3] = { 64, 224, 224 };
    argv += table;
    argc -= table;
    if (argc != 1 && argc != 4) {
        fprintf(stderr, "usage: convolution_bench [--table] [T H W]\n");
        return 2;
    }
    for (int d = 0; argc == 4 && d < 3; d++)
        size[d] = atoi(argv[1 + d]);
    omp_set_num_threads(1);
    run(size, table);
    if (table && argc == 1)
        run((const int[]){ 16, 112, 112 }, table);
    return 0;
}
