/* i3d bench: how fast the network is on this machine. */
#include "command.h"
#include "network_option.h"
#include "report.h"

#include "base/clock.h"
#include "base/failure.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { CLASSES = 400 };

/* A network with fresh weights, clips of any numbers, and the seconds of each turn. */
struct bench {
    i3d_model *model;
    i3d_network *network;
    i3d_network_shape shape;
    int batch, turns;
    float *clips, *logits;
    double *seconds; /* [turns], then sorted */
    bool by_layer;
    i3d_layer_time (*layers)[I3D_LAYERS_MAX]; /* [turns] */
    int layer_count;
};

static int given_or(const struct options *options, const char *name, int otherwise)
{
    return option_given(options, name) ? (int)option_int(options, name) : otherwise;
}

static i3d_status prepare(const struct options *options, struct bench *bench)
{
    i3d_status status;
    bool flow = option_stream(options) == I3D_FLOW;
    const i3d_model_options model = { .channels = flow ? 2 : 3,
                                      .classes = CLASSES,
                                      .bn_epsilon = 1e-3 };
    int size = given_or(options, "spatial-size", 224);
    const i3d_network_options network = { .engine = option_engine(options),
                                          .precision = option_precision(options),
                                          .batch = (int)option_int(options, "batch-size"),
                                          .frames = given_or(options, "test-sample-duration", 64),
                                          .height = size,
                                          .width = size,
                                          .threads = (int)option_int(options, "threads") };
    bench->batch = network.batch;
    bench->turns = (int)option_int(options, "turns");
    bench->by_layer = option_flag(options, "layers");
    TRY(i3d_model_create(&model, &bench->model));
    i3d_model_initialize(bench->model, 1, false);
    TRY(i3d_network_create(bench->model, &network, &bench->network));
    bench->shape = i3d_network_get_shape(bench->network);
    size_t floats = (size_t)bench->batch * (size_t)model.channels * (size_t)network.frames *
                    (size_t)size * (size_t)size;
    TRY(memory_get(floats, sizeof(float), &bench->clips));
    for (size_t i = 0; i < floats; i++)
        bench->clips[i] = (float)(i * 7919 % 2001) / 1000 - 1;
    TRY(memory_get((size_t)bench->batch * CLASSES, sizeof(float), &bench->logits));
    TRY(memory_get((size_t)bench->turns, sizeof(double), &bench->seconds));
    if (bench->by_layer)
        TRY(memory_get((size_t)bench->turns, sizeof *bench->layers, &bench->layers));
out:
    return status;
}

static void clear(struct bench *bench)
{
    i3d_network_free(bench->network);
    i3d_model_free(bench->model);
    memory_free(bench->clips);
    memory_free(bench->logits);
    memory_free(bench->seconds);
    memory_free(bench->layers);
}

static i3d_status run(struct bench *bench)
{
    i3d_status status;
    TRY(i3d_network_run(bench->network, bench->batch, bench->clips, bench->logits));
    for (int t = 0; t < bench->turns; t++) {
        double begin = clock_seconds();
        TRY(bench->by_layer
                ? i3d_network_profile(bench->network, bench->batch, bench->clips, bench->logits,
                                      bench->layers[t], &bench->layer_count)
                : i3d_network_run(bench->network, bench->batch, bench->clips, bench->logits));
        bench->seconds[t] = clock_seconds() - begin;
    }
out:
    return status;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *numbers, int count)
{
    qsort(numbers, (size_t)count, sizeof *numbers, compare);
    return count % 2 ? numbers[count / 2] : (numbers[count / 2 - 1] + numbers[count / 2]) / 2;
}

/* `scratch` [turns]. */
static double layer_seconds(const struct bench *bench, int layer, double *scratch)
{
    for (int t = 0; t < bench->turns; t++)
        scratch[t] = bench->layers[t][layer].seconds;
    return median(scratch, bench->turns);
}

static void report_layer(struct report *report, const i3d_layer_time *layer, double seconds,
                         double whole)
{
    double rate = layer->flops / seconds / 1e9;
    report_say(report, "%-18s %9.2f ms %8.1f GFLOP/s %5.1f %%  %s", layer->name, seconds * 1e3,
               rate, 100 * seconds / whole, layer->kernel);
    if (!report->json)
        return;
    report_object(report, NULL);
    report_text(report, "layer", "%s", layer->name);
    report_real(report, "milliseconds", seconds * 1e3);
    report_real(report, "gflops", rate);
    report_real(report, "share", seconds / whole);
    report_text(report, "kernel", "%s", layer->kernel);
    report_close(report);
}

static void report_layers(struct report *report, struct bench *bench, double *scratch)
{
    double whole = 0;
    for (int i = 0; i < bench->layer_count; i++)
        whole += layer_seconds(bench, i, scratch);
    report_list(report, "layers");
    for (int i = 0; i < bench->layer_count; i++)
        report_layer(report, &bench->layers[0][i], layer_seconds(bench, i, scratch), whole);
    report_close(report);
}

static i3d_status report_bench(const struct options *options, struct bench *bench)
{
    i3d_status status;
    const i3d_network_shape *shape = &bench->shape;
    double *scratch = NULL;
    struct report report = report_begin(options);
    TRY(memory_get((size_t)bench->turns, sizeof *scratch, &scratch));
    double seconds = median(bench->seconds, bench->turns);
    report_text(&report, "engine", "%s", i3d_network_engine(bench->network));
    report_text(&report, "clips", "%d x %d x %d x %d x %d", bench->batch, shape->channels,
                shape->frames, shape->height, shape->width);
    if (bench->by_layer)
        report_layers(&report, bench, scratch);
    report_real(&report, "milliseconds", seconds * 1e3);
    report_real(&report, "least", bench->seconds[0] * 1e3);
    report_real(&report, "most", bench->seconds[bench->turns - 1] * 1e3);
    report_real(&report, "clips_per_second", bench->batch / seconds);
    report_real(&report, "plan_megabytes", (double)i3d_network_memory(bench->network) / 1e6);
    report_end(&report);
out:
    memory_free(scratch);
    return status;
}

int cmd_bench(const struct options *options)
{
    struct bench bench = { 0 };
    i3d_status status;
    TRY(prepare(options, &bench));
    TRY(run(&bench));
    TRY(report_bench(options, &bench));
out:
    clear(&bench);
    return command_result(status);
}
