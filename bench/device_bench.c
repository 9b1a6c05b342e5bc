/* A card against the reference engine, and timed: what bench/device.py sets beside PyTorch.
 *
 *     device_bench check      operations of all kinds, logits and gradients, in every precision
 *     device_bench steps      20 training steps beside the reference engine
 *     device_bench time       forward, training and fine-tuning of clips of 3 x 64 x 224 x 224
 *     device_bench once       a little of everything, under tools that slow it down
 *     device_bench profile    milliseconds of every operation
 *
 * Words before a number are for people; lines "JSON name value" are for the script. */
#include "base/clock.h"
#include "base/failure.h"
#include "base/memory.h"
#include "base/random.h"
#include "engine/cuda/plan.h"
#include "engine/engine.h"
#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct engine engine_cuda;

enum { CLASSES = 400, RUNS_MAX = 64, STEPS = 20, SMALL_CLASSES = 11 };

static const struct precision {
    const char *name;
    i3d_precision precision;
    double logits, gradients; /* bounds of the relative errors */
} precisions[] = { { "fp32", I3D_PRECISION_F32, 1e-4, 1e-2 },
                   { "tf32", I3D_PRECISION_TF32, 1e-2, .2 },
                   { "bf16", I3D_PRECISION_BF16, 2e-2, .3 },
                   { "fp16", I3D_PRECISION_F16, 1e-2, .2 } };
enum { PRECISIONS = sizeof precisions / sizeof precisions[0] };

static int failures;

static void draw(uint64_t seed, uint64_t stream, double low, double high, float *out, size_t count)
{
    struct random random = random_for(seed, (enum random_purpose)stream, 0, 0);
    for (size_t i = 0; i < count; i++)
        out[i] = (float)(low + (high - low) * random_unit(&random));
}

/* Weights by fan in, batch norms as in the midst of training. */
static void draw_params(i3d_model *model)
{
    for (size_t p = 0; p < i3d_model_param_count(model); p++) {
        const i3d_param *param = i3d_model_param(model, p);
        double fan = (double)param->count / (double)param->shape[0], low = -.3, high = .3;
        if (param->role == I3D_PARAM_WEIGHT) {
            high = sqrt(6 / fan);
            low = -high;
        } else if (param->role == I3D_PARAM_GAMMA || param->role == I3D_PARAM_VARIANCE) {
            low = .5;
            high = 1.5;
        }
        draw(p + 1, 1, low, high, i3d_model_data(model) + param->offset, param->count);
    }
}

/* A network, clips, and what comes out. */
struct subject {
    i3d_model *model;
    struct graph graph;
    struct plan_request request;
    const struct engine *engine;
    struct plan *plan;
    bool trained[GRAPH_PARAMS_MAX], frozen[GRAPH_OPS_MAX];
    float *data, *keep, *gradient, *output, *gradients;
    double seconds; /* that planning took */
};

static i3d_status get(size_t count, float **out)
{
    return memory_get(count, sizeof **out, out);
}

static void clear(struct subject *subject)
{
    if (subject->engine)
        subject->engine->free(subject->plan);
    i3d_model_free(subject->model);
    memory_free(subject->data);
    memory_free(subject->keep);
    memory_free(subject->gradient);
    memory_free(subject->output);
    memory_free(subject->gradients);
    *subject = (struct subject){ 0 };
}

static bool is_tuned(const char *name)
{
    return strncmp(name, "Mixed_5", 7) == 0 || strncmp(name, "logits", 6) == 0;
}

struct wish {
    const struct engine *engine;
    i3d_precision precision;
    enum plan_purpose purpose;
    int channels, classes, batch, size[3];
    bool tuned, frozen; /* frozen: all norms, whatever is trained */
};

static i3d_status make(const struct wish *wish, struct subject *out)
{
    const i3d_model_options options = { .channels = wish->channels,
                                        .classes = wish->classes,
                                        .bn_epsilon = 1e-3 };
    const int *size = wish->size;
    i3d_status status;
    *out = (struct subject){ .engine = wish->engine };
    TRY(i3d_model_create(&options, &out->model));
    draw_params(out->model);
    TRY(graph_create(out->model, size[0], size[1], size[2], &out->graph));
    out->request = (struct plan_request){
        .graph = &out->graph,
        .batch = wish->batch,
        .precision = wish->precision,
        .purpose = wish->purpose,
        .optimizer = { .kind = I3D_SGD, .momentum = .9, .weight_decay = 1e-4 },
    };
    for (size_t p = 0; p < i3d_model_param_count(out->model); p++)
        out->trained[p] = !wish->tuned || is_tuned(i3d_model_param(out->model, p)->name);
    for (int i = 0; i < out->graph.op_count; i++)
        out->frozen[i] = wish->frozen || (wish->tuned && !is_tuned(out->graph.ops[i].name));
    out->request.trained = out->trained;
    out->request.frozen = out->frozen;
    size_t batch = (size_t)wish->batch, clips = batch * value_floats(&out->graph.values[0]);
    size_t logits = batch * graph_output_floats(&out->graph);
    const struct op *last = &out->graph.ops[out->graph.op_count - 1];
    size_t features = batch * value_floats(&out->graph.values[last->out]);
    TRY(get(clips, &out->data));
    TRY(get(features, &out->keep));
    TRY(get(logits, &out->gradient));
    TRY(get(logits, &out->output));
    TRY(get(out->graph.floats, &out->gradients));
    draw(1, 2, -1, 1, out->data, clips);
    draw(1, 3, -1, 1, out->gradient, logits);
    draw(1, 4, 0, 1, out->keep, features);
    for (size_t i = 0; i < features; i++)
        out->keep[i] = out->keep[i] < .5f ? 2 : 0;
    double begin = clock_seconds();
    TRY(wish->engine->plan(&out->request, &out->plan));
    out->seconds = clock_seconds() - begin;
    TRY(wish->engine->upload(out->plan, PLAN_PARAMS, (struct range){ 0, out->graph.floats },
                             i3d_model_values(out->model)));
out:
    if (status != I3D_OK)
        clear(out);
    return status;
}

/* Of the difference, as a part of the other's length. */
static double error_of(const float *a, const float *b, size_t count)
{
    double apart = 0, length = 0;
    for (size_t i = 0; i < count; i++) {
        apart += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
        length += (double)b[i] * (double)b[i];
    }
    return length > 0 ? sqrt(apart / length) : sqrt(apart);
}

static void judge(const char *what, const char *precision, double error, double bound)
{
    bool good = error <= bound;
    failures += !good;
    printf("%-4s %-44s %-5s %.2e of %.0e\n", good ? "ok" : "BAD", what, precision, error, bound);
    printf("JSON check/%s/%s %.3e\n", what, precision, error);
    fflush(stdout);
}

static void complain(const char *what, const char *precision)
{
    failures++;
    printf("BAD  %-44s %-5s %s\n", what, precision, i3d_error());
    fflush(stdout);
}

static const struct engine *find_reference(void)
{
    const struct engine *reference = NULL;
    if (engine_find("reference", &reference) != I3D_OK)
        complain("reference engine", "");
    return reference;
}

/* Logits of two clips where three would do, twice: as they are run, and recorded. */
static i3d_status check_logits(const struct wish *wish, const struct subject *expected,
                               const struct precision *precision, const char *what)
{
    struct subject subject;
    char name[64];
    struct wish own = *wish;
    i3d_status status;
    own.engine = &engine_cuda;
    own.precision = precision->precision;
    own.batch = 3;
    TRY(make(&own, &subject));
    for (int run = 0; run < 3; run++) {
        TRY(engine_cuda.forward(subject.plan, 2, expected->data, NULL, subject.output));
        snprintf(name, sizeof name, "%s, run %d", what, run + 1);
        judge(name, precision->name,
              error_of(subject.output, expected->output, 2 * graph_output_floats(&subject.graph)),
              precision->logits);
    }
    const float good = expected->data[0];
    expected->data[0] = NAN;
    TRY(engine_cuda.forward(subject.plan, 2, expected->data, NULL, subject.output));
    expected->data[0] = good;
    snprintf(name, sizeof name, "%s, a NaN shows", what);
    judge(name, precision->name, !isnan(subject.output[0]), 0);
out:
    clear(&subject);
    return status;
}

/* The median of the parameters' errors, and the worst. */
static void judge_gradients(const struct subject *subject, const struct subject *expected,
                            const struct precision *precision, const char *what)
{
    double errors[GRAPH_PARAMS_MAX], worst = 0;
    int count = 0;
    char name[64];
    for (int p = 0; p < subject->graph.param_count; p++) {
        const i3d_param *param = &subject->graph.params[p];
        if (param->role == I3D_PARAM_MEAN || param->role == I3D_PARAM_VARIANCE ||
            !subject->trained[p])
            continue;
        double error = error_of(subject->gradients + param->offset,
                                expected->gradients + param->offset, param->count);
        worst = error > worst || isnan(error) ? error : worst;
        int at = count++;
        for (; at > 0 && errors[at - 1] > error; at--)
            errors[at] = errors[at - 1];
        errors[at] = error;
    }
    snprintf(name, sizeof name, "%s, median", what);
    judge(name, precision->name, errors[count / 2], precision->gradients);
    printf("     worst of %d parameters %.2e\n", count, worst);
}

static i3d_status step_once(struct subject *subject)
{
    struct range all = { 0, subject->graph.floats };
    i3d_status status;
    TRY(subject->engine->forward(subject->plan, subject->request.batch, subject->data,
                                 subject->keep, subject->output));
    TRY(subject->engine->backward(subject->plan, subject->gradient, NULL));
    TRY(subject->engine->download(subject->plan, PLAN_GRADIENTS, all, subject->gradients));
out:
    return status;
}

static i3d_status check_gradients(const struct wish *wish, const struct subject *expected,
                                  const struct precision *precision, const char *what)
{
    struct subject subject;
    struct wish own = *wish;
    char name[64];
    i3d_status status;
    own.engine = &engine_cuda;
    own.precision = precision->precision;
    TRY(make(&own, &subject));
    for (int run = 0; run < 2; run++)
        TRY(step_once(&subject));
    snprintf(name, sizeof name, "%s, logits", what);
    judge(name, precision->name,
          error_of(subject.output, expected->output, 2 * graph_output_floats(&subject.graph)),
          precision->logits);
    judge_gradients(&subject, expected, precision, what);
out:
    clear(&subject);
    return status;
}

/* Norms with the statistics of a small batch multiply what rounding leaves, so that gradients of
 * fewer than 24 bits are far from anything; float16's loss scale is to be found first. `steps` has
 * these too. */
static bool suits(const struct precision *precision, bool frozen)
{
    return precision->precision == I3D_PRECISION_F32 ||
           (frozen && precision->precision != I3D_PRECISION_F16);
}

static void check_all(void)
{
    static const struct {
        const char *name;
        enum plan_purpose purpose;
        int channels;
        bool tuned, frozen;
    } rows[] = { { "inference, rgb", PLAN_INFERENCE, 3, false, false },
                 { "inference, flow", PLAN_INFERENCE, 2, false, false },
                 { "training, rgb", PLAN_TRAINING, 3, false, false },
                 { "training, flow", PLAN_TRAINING, 2, false, false },
                 { "norms frozen, rgb", PLAN_TRAINING, 3, false, true },
                 { "fine-tuning, flow", PLAN_TRAINING, 2, true, true } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wish wish = { .engine = find_reference(),
                             .precision = I3D_PRECISION_F32_F64,
                             .purpose = rows[i].purpose,
                             .channels = rows[i].channels,
                             .classes = SMALL_CLASSES,
                             .batch = 2,
                             .size = { 16, 64, 64 },
                             .tuned = rows[i].tuned,
                             .frozen = rows[i].frozen };
        struct subject expected;
        bool training = wish.purpose == PLAN_TRAINING;
        i3d_status status = make(&wish, &expected);
        if (status == I3D_OK)
            status = training ? step_once(&expected)
                              : wish.engine->forward(expected.plan, 2, expected.data, NULL,
                                                     expected.output);
        if (status != I3D_OK)
            complain(rows[i].name, "ref");
        for (int p = 0; p < PRECISIONS && status == I3D_OK; p++) {
            if (training && !suits(&precisions[p], rows[i].frozen))
                continue;
            if ((training ? check_gradients : check_logits)(&wish, &expected, &precisions[p],
                                                            rows[i].name) != I3D_OK)
                complain(rows[i].name, precisions[p].name);
        }
        clear(&expected);
    }
}

/* The gradient of cross-entropy with class n for clip n, and the loss. */
static double find_loss(const float *logits, int count, int classes, float *gradient)
{
    double loss = 0;
    for (int n = 0; n < count; n++, logits += classes, gradient += classes) {
        double sum = 0;
        for (int k = 0; k < classes; k++)
            sum += exp((double)logits[k]);
        for (int k = 0; k < classes; k++)
            gradient[k] = (float)(exp((double)logits[k]) / sum - (k == n % classes));
        loss += log(sum) - (double)logits[n % classes];
    }
    return loss / count;
}

static i3d_status train(struct subject *subject, int step, double *loss)
{
    int batch = subject->request.batch;
    i3d_status status;
    TRY(subject->engine->forward(subject->plan, batch, subject->data, subject->keep,
                                 subject->output));
    *loss = find_loss(subject->output, batch, subject->graph.classes, subject->gradient);
    TRY(subject->engine->backward(subject->plan, subject->gradient, NULL));
    TRY(subject->engine->apply(
        subject->plan,
        &(struct update){
            .step = step, .lr = 1e-7, .clips = batch, .loss = *loss, .bn_momentum = .1 }));
out:
    return status;
}

static i3d_status follow(const struct wish *wish, double losses[STEPS])
{
    struct subject subject;
    struct applied applied;
    i3d_status status;
    TRY(make(wish, &subject));
    size_t floats = (size_t)wish->batch * value_floats(&subject.graph.values[0]);
    for (int step = 0; step < STEPS; step++) {
        draw(9, (uint64_t)step, -1, 1, subject.data, floats);
        TRY(train(&subject, step, &losses[step]));
        TRY(wish->engine->applied(subject.plan, &applied));
        if (applied.skipped)
            printf("     step %ld was skipped\n", applied.step);
    }
out:
    clear(&subject);
    return status;
}

static void check_steps(void)
{
    for (int tuned = 0; tuned < 2; tuned++) {
        double expected[STEPS], losses[STEPS];
        const char *what = tuned ? "20 steps, fine-tuning" : "20 steps, all layers";
        struct wish wish = { .engine = find_reference(),
                             .precision = I3D_PRECISION_F32,
                             .purpose = PLAN_TRAINING,
                             .channels = 3,
                             .classes = SMALL_CLASSES,
                             .batch = 2,
                             .size = { 16, 64, 64 },
                             .tuned = tuned };
        if (follow(&wish, expected) != I3D_OK) {
            complain(what, "ref");
            continue;
        }
        wish.engine = &engine_cuda;
        for (int p = 0; p < PRECISIONS; p++) {
            double worst = 0;
            wish.precision = precisions[p].precision;
            if (follow(&wish, losses) != I3D_OK) {
                complain(what, precisions[p].name);
                continue;
            }
            for (int step = 0; step < STEPS; step++)
                worst = fmax(worst, fabs(losses[step] - expected[step]) / expected[step]);
            printf("     loss %.5f to %.5f, reference %.5f to %.5f\n", losses[0], losses[STEPS - 1],
                   expected[0], expected[STEPS - 1]);
            judge(what, precisions[p].name, worst, p ? .3 : 2e-2);
        }
    }
}

/* One forward and one step of the smallest clips, for tools that make everything slow. */
static void run_once(void)
{
    struct wish wish = { .engine = &engine_cuda,
                         .channels = 3,
                         .classes = SMALL_CLASSES,
                         .batch = 2,
                         .size = { 8, 32, 32 } };
    for (int p = 0; p < PRECISIONS; p++) {
        struct subject subject;
        double loss;
        wish.precision = precisions[p].precision;
        wish.purpose = PLAN_INFERENCE;
        i3d_status status = make(&wish, &subject);
        if (status == I3D_OK)
            status = engine_cuda.forward(subject.plan, 1, subject.data, NULL, subject.output);
        clear(&subject);
        wish.purpose = PLAN_TRAINING;
        if (status == I3D_OK)
            status = make(&wish, &subject);
        if (status == I3D_OK)
            status = train(&subject, 0, &loss);
        if (status != I3D_OK)
            complain("once", precisions[p].name);
        clear(&subject);
    }
}

static int compare(const void *a, const void *b)
{
    return (*(const float *)a > *(const float *)b) - (*(const float *)a < *(const float *)b);
}

/* The clip as it came: what follows it in the arena has been written over it. */
static void bring_clip(const struct plan *plan, void *clip, size_t floats)
{
    struct view to = { .data = plan->slot.clip,
                       .type = ELEMENT_F32,
                       .channels = CHANNEL_BLOCK,
                       .positions = floats / CHANNEL_BLOCK,
                       .pitch = CHANNEL_BLOCK };
    struct view from = to;
    from.data = clip;
    kernel_copy(card_stream(plan->card), &(struct copy_args){ .in = from, .out = to });
}

/* The median of the card's milliseconds for one run of the passes, without the clip's way to it. */
static i3d_status time_card(struct subject *subject, int runs, float *median)
{
    struct plan *plan = subject->plan;
    bool training = subject->request.purpose == PLAN_TRAINING;
    size_t floats = (size_t)subject->request.batch * value_floats(&subject->graph.values[0]);
    float milliseconds[RUNS_MAX];
    void *clip;
    i3d_status status;
    TRY(card_get(plan->card, floats * sizeof(float), &clip));
    TRY(card_upload(plan->card, clip, subject->data, floats * sizeof(float)));
    for (int run = 0; run < runs; run++) {
        bring_clip(plan, clip, floats);
        TRY(card_tick(plan->card));
        TRY(cuda_run_pass(plan, &plan->forward, cuda_run_forward));
        if (training) {
            TRY(cuda_run_pass(plan, &plan->backward, cuda_run_backward));
            TRY(cuda_apply(plan, &(struct update){ .step = run, .clips = 8, .bn_momentum = .1 }));
            TRY(cuda_load_changed(plan));
        }
        TRY(card_tock(plan->card, &milliseconds[run]));
    }
    qsort(milliseconds, (size_t)runs, sizeof *milliseconds, compare);
    *median = milliseconds[runs / 2];
out:
    card_free(plan->card, clip);
    return status;
}

static void time_one(const struct wish *wish, const char *name, const char *precision, int runs)
{
    struct subject subject;
    float card;
    double loss, begin;
    bool training = wish->purpose == PLAN_TRAINING;
    if (make(wish, &subject) != I3D_OK) {
        complain(name, precision);
        return;
    }
    i3d_status status = I3D_OK;
    for (int run = 0; run < 3 && status == I3D_OK; run++) {
        begin = clock_seconds();
        status = training ? train(&subject, run, &loss)
                          : engine_cuda.forward(subject.plan, wish->batch, subject.data, NULL,
                                                subject.output);
    }
    double whole = 1e3 * (clock_seconds() - begin);
    if (status == I3D_OK)
        status = time_card(&subject, runs, &card);
    if (status == I3D_OK) {
        double memory = (double)engine_cuda.memory(subject.plan) / 1e6;
        printf("%-22s %-5s B%-3d %8.2f ms %8.1f clips/s  with the clip's way %8.2f ms  %8.0f MB  "
               "planned in %.1f s\n",
               name, precision, wish->batch, (double)card, 1e3 * wish->batch / (double)card, whole,
               memory, subject.seconds);
        printf("JSON time/%s/%s/B%d %.4f\n", name, precision, wish->batch, (double)card);
        printf("JSON memory/%s/%s/B%d %.1f\n", name, precision, wish->batch, memory);
    } else {
        complain(name, precision);
    }
    clear(&subject);
    fflush(stdout);
}

static struct wish whole_clips(enum plan_purpose purpose, int batch, bool tuned,
                               i3d_precision precision)
{
    return (struct wish){ .engine = &engine_cuda,
                          .precision = precision,
                          .purpose = purpose,
                          .channels = 3,
                          .classes = CLASSES,
                          .batch = batch,
                          .size = { 64, 224, 224 },
                          .tuned = tuned };
}

static void time_all(void)
{
    static const struct {
        const char *name;
        enum plan_purpose purpose;
        int batch;
        bool tuned;
        int precision;
    } rows[] = {
        { "forward", PLAN_INFERENCE, 8, false, 2 },  { "forward", PLAN_INFERENCE, 1, false, 2 },
        { "training", PLAN_TRAINING, 8, false, 2 },  { "fine-tuning", PLAN_TRAINING, 8, true, 2 },
        { "training", PLAN_TRAINING, 16, false, 2 }, { "forward", PLAN_INFERENCE, 8, false, 1 },
        { "forward", PLAN_INFERENCE, 8, false, 3 },  { "training", PLAN_TRAINING, 8, false, 1 }
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct precision *precision = &precisions[rows[i].precision];
        struct wish wish =
            whole_clips(rows[i].purpose, rows[i].batch, rows[i].tuned, precision->precision);
        time_one(&wish, rows[i].name, precision->name, 20);
    }
}

static float chosen(const struct plan *plan, int i, enum convolution_pass pass)
{
    const struct convolution *convolution = plan->steps[i].passes[pass];
    return convolution ? convolver_milliseconds(convolution) : 0;
}

/* The best of five, one operation at a time. */
static float time_step(const struct plan *plan, int i,
                       i3d_status (*run)(const struct plan *plan, int i))
{
    float best = 0, milliseconds = 0;
    for (int n = 0; n < 5; n++) {
        if (card_tick(plan->card) != I3D_OK || run(plan, i) != I3D_OK ||
            card_tock(plan->card, &milliseconds) != I3D_OK)
            return -1;
        best = n == 0 || milliseconds < best ? milliseconds : best;
    }
    return best;
}

static void profile(enum plan_purpose purpose)
{
    struct wish wish = whole_clips(purpose, 8, false, I3D_PRECISION_BF16);
    bool training = purpose == PLAN_TRAINING;
    struct subject subject;
    double loss, sums[5] = { 0 };
    if (make(&wish, &subject) != I3D_OK ||
        (training ? train(&subject, 0, &loss)
                  : engine_cuda.forward(subject.plan, 8, subject.data, NULL, subject.output)) !=
            I3D_OK) {
        complain("profile", "bf16");
        return;
    }
    printf("%s, B8, bf16: ms of an operation; of its convolutions alone\n",
           training ? "training" : "inference");
    printf("%-20s %8s %8s | %8s %8s %8s\n", "", "forward", "backward", "forward", "data", "weight");
    for (int i = 0; i < subject.graph.op_count; i++) {
        const struct plan *plan = subject.plan;
        float row[5] = { time_step(plan, i, cuda_run_step),
                         training ? time_step(plan, i, cuda_run_step_back) : 0,
                         chosen(plan, i, CONVOLUTION_FORWARD), chosen(plan, i, CONVOLUTION_DATA),
                         chosen(plan, i, CONVOLUTION_WEIGHT) };
        printf("%-20s", subject.graph.ops[i].name);
        for (int c = 0; c < 5; c++) {
            printf(" %8.3f%s", (double)row[c], c == 1 ? " |" : "");
            sums[c] += (double)row[c];
        }
        printf("\n");
    }
    printf("%-20s %8.2f %8.2f | %8.2f %8.2f %8.2f\n", "all", sums[0], sums[1], sums[2], sums[3],
           sums[4]);
    clear(&subject);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const struct {
        const char *name;
        void (*run)(void);
    } parts[] = {
        { "check", check_all }, { "steps", check_steps }, { "once", run_once }, { "time", time_all }
    };
    double begin = clock_seconds();
    struct card *card;
    if (card_open(0, &card) != I3D_OK) {
        printf("%s\n", i3d_error());
        return 1;
    }
    printf("%s\n", card_about(card));
    card_close(card);
    for (int a = 1; a < argc; a++) {
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
            if (strcmp(argv[a], parts[i].name) == 0)
                parts[i].run();
        if (strcmp(argv[a], "profile") == 0) {
            profile(PLAN_INFERENCE);
            profile(PLAN_TRAINING);
        }
        printf("%s: %.1f s so far, %d bad\n", argv[a], clock_seconds() - begin, failures);
        fflush(stdout);
    }
    return failures ? 1 : 0;
}
