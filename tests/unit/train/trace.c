#include "trace.h"

#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "checkpoint/dialects.h"
#include "train/learner.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define FINE "logits,Mixed_5"
const struct trace_case trace_cases[TRACE_CASES] = {
    { "adam-rgb-all", I3D_RGB, I3D_ADAM, 1e-5, "" },
    { "adam-flow-all", I3D_FLOW, I3D_ADAM, 1e-5, "" },
    { "adam-rgb-fine", I3D_RGB, I3D_ADAM, 5e-5, FINE },
    { "adam-flow-fine", I3D_FLOW, I3D_ADAM, 5e-5, FINE },
    { "sgd-rgb-all", I3D_RGB, I3D_SGD, 2e-5, "" },
    { "sgd-flow-all", I3D_FLOW, I3D_SGD, 2e-5, "" },
    { "sgd-rgb-fine", I3D_RGB, I3D_SGD, 1e-3, FINE },
    { "sgd-flow-fine", I3D_FLOW, I3D_SGD, 1e-3, FINE },
    { "rmsprop-rgb-all", I3D_RGB, I3D_RMSPROP, 3e-7, "" },
    { "rmsprop-flow-all", I3D_FLOW, I3D_RMSPROP, 3e-7, "" },
    { "rmsprop-rgb-fine", I3D_RGB, I3D_RMSPROP, 1e-5, FINE },
    { "rmsprop-flow-fine", I3D_FLOW, I3D_RMSPROP, 1e-5, FINE },
    { "sgd-flow-logits", I3D_FLOW, I3D_SGD, 1e-3, "logits" }, /* all norms are frozen */
};

/* The goldens' numbers are keyed by these, whatever the library draws its own by. */
#define DRAW_WEIGHTS ((enum random_purpose)1)
#define DRAW_WAVES ((enum random_purpose)100)
#define DRAW_NORMS ((enum random_purpose)101)

/* He with fan out; logits of .01. */
static void draw_weights(i3d_model *model)
{
    for (size_t p = 0; p < i3d_model_param_count(model); p++) {
        const i3d_param *param = i3d_model_param(model, p);
        struct random random = random_for(7, DRAW_WEIGHTS, 0, p);
        double fan = (double)param->count / (double)(param->rank > 1 ? param->shape[1] : 1);
        double deviation = strcmp(param->unit, "logits") == 0 ? .01 : sqrt(2 / fan);
        for (size_t i = 0; param->role == I3D_PARAM_WEIGHT && i < param->count; i++)
            i3d_model_data(model)[param->offset + i] = (float)(deviation * random_normal(&random));
    }
}

/* Norms that are trained begin as training may leave them: narrower, and shifted up. With scales of
 * one and no shift, as a fresh network has, gradients grow a hundredfold towards the input where
 * each norm divides by the statistics of a small batch, many values lie near a ReLU's corner, and
 * two correct programs part within a few steps. */
static i3d_status draw_norms(i3d_model *model, const char *prefixes)
{
    i3d_status status;
    bool *trained = NULL;
    struct random random = random_for(7, DRAW_NORMS, 0, 0);
    TRY(memory_get(i3d_model_param_count(model), sizeof *trained, &trained));
    TRY(i3d_train_select(model, prefixes, trained));
    for (size_t p = 0; p < i3d_model_param_count(model); p++) {
        const i3d_param *param = i3d_model_param(model, p);
        float *data = i3d_model_data(model) + param->offset;
        for (size_t i = 0; trained[p] && i < param->count; i++) {
            if (param->role == I3D_PARAM_GAMMA)
                data[i] = (float)(.375 + .25 * random_unit(&random));
            else if (param->role == I3D_PARAM_BETA)
                data[i] = (float)(.75 + .5 * random_unit(&random));
        }
    }
out:
    memory_free(trained);
    return status;
}

i3d_status trace_model(const struct trace_case *trace, i3d_model **out)
{
    i3d_model_options options = { .channels = trace->stream == I3D_FLOW ? 2 : 3,
                                  .classes = TRACE_CLASSES,
                                  .bn_epsilon = 1e-3 };
    i3d_status status = i3d_model_create(&options, out);
    if (status != I3D_OK)
        return status;
    draw_weights(*out);
    return draw_norms(*out, trace->prefixes);
}

/* A moving wave of its own direction, speed and strength in a little noise: clips that are far
 * apart keep the batch statistics, and so the comparison, well conditioned. */
static void draw_wave(struct random *random, float *out)
{
    double kt = random_unit(random) - .5, ky = random_unit(random) - .5;
    double kx = random_unit(random) - .5, phase = 6 * random_unit(random);
    double strength = .2 + .6 * random_unit(random), level = .4 * random_unit(random) - .2;
    for (int t = 0; t < TRACE_FRAMES; t++)
        for (int y = 0; y < TRACE_SIZE; y++)
            for (int x = 0; x < TRACE_SIZE; x++)
                *out++ = (float)(level + strength * sin(kt * t + ky * y + kx * x + phase) +
                                 .1 * (random_unit(random) - .5));
}

i3d_status trace_batch(const struct trace_case *trace, int index, i3d_batch *out)
{
    int channels = trace->stream == I3D_FLOW ? 2 : 3;
    i3d_status status =
        i3d_batch_create(TRACE_BATCH, channels, TRACE_FRAMES, TRACE_SIZE, TRACE_SIZE, out);
    if (status != I3D_OK)
        return status;
    struct random random = random_for(7, DRAW_WAVES, 0, (uint64_t)index);
    for (int image = 0; image < TRACE_BATCH * channels; image++)
        draw_wave(&random, out->data + (size_t)image * TRACE_FRAMES * TRACE_SIZE * TRACE_SIZE);
    for (int n = 0; n < TRACE_BATCH; n++)
        out->labels[n] = (int32_t)random_below(&random, TRACE_CLASSES);
    out->count = TRACE_BATCH;
    return I3D_OK;
}

/* The clips of a batch from `first` on, at most `most`. */
static i3d_batch part_of(const i3d_batch *batch, int first, int most)
{
    i3d_batch part = *batch;
    int left = batch->count - first;
    size_t clip = (size_t)batch->channels * TRACE_FRAMES * TRACE_SIZE * TRACE_SIZE;
    part.capacity = most;
    part.count = left < 0 ? 0 : left < most ? left : most;
    if (part.count) {
        part.data += (size_t)first * clip;
        part.labels += first;
        part.videos += first;
    }
    return part;
}

static i3d_status step(struct learner *learner, const i3d_batch *batch, int number, double lr,
                       double *loss)
{
    i3d_status status = I3D_OK;
    struct learner_report report;
    int size = learner->comm->size, parts = learner->parts;
    int most = (TRACE_BATCH + size * parts - 1) / (size * parts);
    for (int part = 0; part < parts; part++) {
        i3d_batch mine = part_of(batch, (part * size + learner->comm->rank) * most, most);
        TRY(learner_add(learner, &mine, 0, part == parts - 1));
    }
    TRY(learner_step(learner, number, lr, false, &report));
    *loss = report.loss;
out:
    return status;
}

static void measure_running(const i3d_model *model, double running[2])
{
    double squares[2] = { 0 };
    for (size_t p = 0; p < i3d_model_param_count(model); p++) {
        const i3d_param *param = i3d_model_param(model, p);
        const float *values = i3d_model_values(model) + param->offset;
        bool variance = param->role == I3D_PARAM_VARIANCE;
        for (size_t i = 0; (variance || param->role == I3D_PARAM_MEAN) && i < param->count; i++)
            squares[variance] += (double)values[i] * values[i];
    }
    running[0] = sqrt(squares[0]);
    running[1] = sqrt(squares[1]);
}

i3d_status trace_run(const struct trace_case *trace, const struct trace_way *way, int steps,
                     double *losses, double running[2])
{
    i3d_status status;
    i3d_model *model = NULL;
    struct comm alone = comm_self(), *comm = way->comm ? way->comm : &alone;
    struct learner learner = { 0 };
    i3d_batch batches[TRACE_BATCHES] = { { 0 } };
    i3d_train_options options = { .batch = TRACE_BATCH,
                                  .accumulate = way->accumulate,
                                  .sync_bn = way->sync_bn,
                                  .precision = way->precision,
                                  .optimizer = trace->optimizer,
                                  .momentum = .9,
                                  .weight_decay = .01,
                                  .dropout_keep = 1,
                                  .prefixes = trace->prefixes,
                                  .freeze_bn = true,
                                  .bn_momentum = .1,
                                  .clip = { .frames = TRACE_FRAMES, .size = TRACE_SIZE },
                                  .engine = way->engine,
                                  .threads = 1 };
    TRY(trace_model(trace, &model));
    for (int b = 0; b < TRACE_BATCHES; b++)
        TRY(trace_batch(trace, b, &batches[b]));
    TRY(learner_create(model, &options, comm, &learner));
    for (int i = 0; i < steps; i++)
        TRY(step(&learner, &batches[i % TRACE_BATCHES], i, trace->lr, &losses[i]));
    TRY(learner_save(&learner));
    if (running)
        measure_running(model, running);
out:
    learner_clear(&learner);
    for (int b = 0; b < TRACE_BATCHES; b++)
        i3d_batch_clear(&batches[b]);
    i3d_model_free(model);
    return status;
}

static i3d_status open_file(const char *folder, const char *name, struct file_writer *out)
{
    char *path;
    i3d_status status = path_join(&path, folder, name);
    if (status == I3D_OK)
        status = file_begin(path, out);
    memory_free(path);
    return status;
}

static i3d_status dump_model(i3d_model *model, const char *folder)
{
    i3d_status status;
    struct file_writer file;
    TRY(open_file(folder, "params.txt", &file));
    for (size_t p = 0; p < i3d_model_param_count(model); p++) {
        const i3d_param *param = i3d_model_param(model, p);
        char name[DIALECT_NAME_BYTES];
        naming_param(&naming_mindspore, param, name);
        fprintf(file.stream, "%s %zu", name, param->offset);
        for (int d = 0; d < param->rank; d++)
            fprintf(file.stream, " %" PRId64, param->shape[d]);
        fputc('\n', file.stream);
    }
    TRY(file_commit(&file));
    TRY(open_file(folder, "params.bin", &file));
    fwrite(i3d_model_data(model), sizeof(float), i3d_model_data_count(model), file.stream);
    TRY(file_commit(&file));
out:
    file_discard(&file);
    return status;
}

static i3d_status dump_batches(const struct trace_case *trace, const char *folder)
{
    i3d_status status;
    struct file_writer data = { 0 }, labels = { 0 };
    i3d_batch batch = { 0 };
    TRY(open_file(folder, "batches.bin", &data));
    TRY(open_file(folder, "labels.txt", &labels));
    for (int b = 0; b < TRACE_BATCHES; b++) {
        TRY(trace_batch(trace, b, &batch));
        size_t clip = (size_t)batch.channels * TRACE_FRAMES * TRACE_SIZE * TRACE_SIZE;
        fwrite(batch.data, sizeof(float), TRACE_BATCH * clip, data.stream);
        for (int n = 0; n < TRACE_BATCH; n++)
            fprintf(labels.stream, "%d\n", (int)batch.labels[n]);
        i3d_batch_clear(&batch);
    }
    TRY(file_commit(&data));
    TRY(file_commit(&labels));
out:
    file_discard(&data);
    file_discard(&labels);
    i3d_batch_clear(&batch);
    return status;
}

i3d_status trace_dump(const struct trace_case *trace, const char *folder)
{
    i3d_status status;
    i3d_model *model = NULL;
    TRY(folder_make(folder));
    TRY(trace_model(trace, &model));
    TRY(dump_model(model, folder));
    TRY(dump_batches(trace, folder));
out:
    i3d_model_free(model);
    return status;
}
