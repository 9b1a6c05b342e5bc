/* One engine at work, for bench/engine.py: engine_bench infer|train|tune fp32|bf16 [T H W]
 *
 * Plans, runs twice, then runs once for each line of the standard input and prints the seconds it
 * took; at its end prints the peak memory in bytes. "parts" in place of "infer" prints the time of
 * each step alone and of the whole, in milliseconds, and ends. */
#include "engine/cpu/plan.h"

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { CLASSES = 400, THREADS = 2 };

struct bench {
    const struct engine *engine;
    i3d_model *model;
    struct graph graph;
    struct plan_request request;
    struct plan *plan;
    bool trained[GRAPH_PARAMS_MAX], frozen[GRAPH_OPS_MAX];
    float *clip, logits[CLASSES], logits_gradient[CLASSES];
};

static double now(void)
{
    return bench_now(CLOCK_MONOTONIC);
}

/* Fine-tuning: Mixed_5 and the logits, the batch norms before them frozen. */
static void choose_trained(struct bench *bench)
{
    const struct graph *graph = &bench->graph;
    for (size_t p = 0; p < i3d_model_param_count(bench->model); p++) {
        const char *unit = i3d_model_param(bench->model, p)->unit;
        bench->trained[p] = strncmp(unit, "Mixed_5", 7) == 0 || strncmp(unit, "logits", 6) == 0;
    }
    for (int i = 0; i < graph->op_count; i++)
        bench->frozen[i] = strncmp(graph->ops[i].name, "Mixed_5", 7) != 0;
    bench->request.trained = bench->trained;
    bench->request.frozen = bench->frozen;
}

static void prepare(struct bench *bench, const char *what, const char *precision, const int size[3])
{
    i3d_model_options options = { .channels = 3, .classes = CLASSES, .bn_epsilon = 1e-3 };
    bench_check(engine_find("cpu", &bench->engine));
    bench_check(i3d_model_create(&options, &bench->model));
    i3d_model_initialize(bench->model, 1, false);
    bench_check(graph_create(bench->model, size[0], size[1], size[2], &bench->graph));
    bench->request = (struct plan_request){
        .graph = &bench->graph,
        .batch = 1,
        .threads = THREADS,
        .precision = strcmp(precision, "bf16") == 0 ? I3D_PRECISION_BF16 : I3D_PRECISION_F32,
        .purpose = what[0] == 't' ? PLAN_TRAINING : PLAN_INFERENCE,
        .optimizer.kind = I3D_SGD,
    };
    if (strcmp(what, "tune") == 0)
        choose_trained(bench);
    bench_check(bench->engine->plan(&bench->request, &bench->plan));
    bench_check(bench->engine->upload(bench->plan, PLAN_PARAMS,
                                      (struct range){ 0, bench->graph.floats },
                                      i3d_model_values(bench->model)));
    bench->clip = bench_draw(value_floats(&bench->graph.values[0]));
    for (int i = 0; i < CLASSES; i++)
        bench->logits_gradient[i] = 1e-3f * bench->clip[i];
}

/* A step of training changes what is trained, so that the next one loads it anew. */
static void run(struct bench *bench)
{
    const struct update update = { .lr = 1e-6, .clips = 1 };
    bench_check(bench->engine->forward(bench->plan, 1, bench->clip, NULL, bench->logits));
    if (bench->request.purpose != PLAN_TRAINING)
        return;
    bench_check(bench->engine->backward(bench->plan, bench->logits_gradient, NULL));
    bench_check(bench->engine->apply(bench->plan, &update));
}

static double time_step(struct bench *bench, struct step *step)
{
    double best = 1e9;
    for (int i = 0; i < 5; i++) {
        double start = now();
        bench_check(plan_step(bench->plan, step, 1));
        best = now() - start < best ? now() - start : best;
    }
    return best;
}

static void print_parts(struct bench *bench)
{
    double convolutions = 0, others = 0, whole = 1e9;
    for (int i = 0; i < bench->graph.op_count; i++) {
        struct step *step = &bench->plan->steps[i];
        double seconds = time_step(bench, step);
        *(step->op->kind == OP_CONV ? &convolutions : &others) += seconds;
        printf("%-18s %8.2f ms\n", step->op->name, seconds * 1e3);
    }
    for (int i = 0; i < 5; i++) {
        double start = now();
        run(bench);
        whole = now() - start < whole ? now() - start : whole;
    }
    printf("convolutions alone %8.2f ms, pools and head %.2f ms, the whole %.2f ms\n",
           convolutions * 1e3, others * 1e3, whole * 1e3);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    int size[3] = { 64, 224, 224 };
    char line[64];
    struct rusage usage;
    if (argc != 3 && argc != 6) {
        fprintf(stderr, "usage: engine_bench infer|train|tune|parts fp32|bf16 [T H W]\n");
        return 2;
    }
    for (int d = 0; argc == 6 && d < 3; d++)
        size[d] = atoi(argv[3 + d]);
    prepare(&bench, argv[1], argv[2], size);
    run(&bench);
    run(&bench);
    if (strcmp(argv[1], "parts") == 0) {
        print_parts(&bench);
        return 0;
    }
    printf("ready\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        double start = now();
        run(&bench);
        printf("%.6f\n", now() - start);
        fflush(stdout);
    }
    getrusage(RUSAGE_SELF, &usage);
    printf("%ld\n", usage.ru_maxrss * 1024);
    bench.engine->free(bench.plan);
    i3d_model_free(bench.model);
    free(bench.clip);
    return 0;
}
