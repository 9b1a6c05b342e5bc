/* Norms that take over the statistics of data leave what the network computes as it was. */
#include "test.h"

#include <i3d/engine.h>

#include "base/memory.h"
#include "base/random.h"
#include "engine/engine.h"
#include "model/model.h"
#include "train/calibrate.h"

#include <math.h>

enum { CLASSES = 6, COUNT = 4, FRAMES = 8, SIZE = 32 };

/* I3D to its first block, and the logits; norms of no data, as an inflated network has them. */
static i3d_model *make_model(void)
{
    enum { FIRST = 6 };
    struct unit units[FIRST + 1];
    i3d_model *model;
    memcpy(units, network_units, FIRST * sizeof *units);
    units[FIRST] = network_units[network_unit_count - 1];
    assert_ok(model_create(
        units, FIRST + 1,
        &(i3d_model_options){ .channels = 3, .classes = CLASSES, .bn_epsilon = 1e-3 }, &model));
    i3d_model_initialize(model, 3, true);
    for (size_t p = 0; p < i3d_model_param_count(model); p++) {
        const i3d_param *param = i3d_model_param(model, p);
        for (size_t i = 0; param->role == I3D_PARAM_BETA && i < param->count; i++)
            i3d_model_data(model)[param->offset + i] = .1f * (float)(i % 5);
    }
    return model;
}

static void make_batch(i3d_batch *out)
{
    struct random random = random_for(4, RANDOM_TRIAL, 0, 0);
    assert_ok(i3d_batch_create(COUNT, 3, FRAMES, SIZE, SIZE, out));
    out->count = COUNT;
    for (size_t i = 0; i < (size_t)COUNT * 3 * FRAMES * SIZE * SIZE; i++)
        out->data[i] = (float)(2 * random_unit(&random) - 1);
}

/* The logits with the running statistics, or in training with the batch's. */
static void run(const i3d_model *model, const i3d_batch *batch, bool training,
                float logits[COUNT * CLASSES])
{
    struct graph graph;
    struct plan_request request = { .graph = &graph,
                                    .batch = COUNT,
                                    .precision = I3D_PRECISION_F32,
                                    .purpose = training ? PLAN_TRAINING : PLAN_INFERENCE };
    const struct engine *engine;
    struct plan *plan;
    assert_ok(graph_create(model, FRAMES, SIZE, SIZE, &graph));
    assert_ok(engine_find(NULL, &engine));
    assert_ok(engine->plan(&request, &plan));
    assert_ok(engine->upload(plan, PLAN_PARAMS, (struct range){ 0, graph.floats },
                             i3d_model_values(model)));
    assert_ok(engine->forward(plan, COUNT, batch->data, NULL, logits));
    engine->free(plan);
}

static double difference(const float a[COUNT * CLASSES], const float b[COUNT * CLASSES])
{
    double squares = 0, norm = 0;
    for (int i = 0; i < COUNT * CLASSES; i++) {
        squares += pow((double)a[i] - b[i], 2);
        norm += pow(a[i], 2);
    }
    return sqrt(squares / norm);
}

static void what_the_network_computes_stays(void **state)
{
    (void)state;
    float before[COUNT * CLASSES], after[COUNT * CLASSES], training[COUNT * CLASSES];
    i3d_train_options options = i3d_train_defaults();
    i3d_batch batch;
    i3d_model *model = make_model();
    make_batch(&batch);
    run(model, &batch, false, before);
    run(model, &batch, true, training);
    assert_true(difference(before, training) > .5); /* another function */
    assert_ok(calibrate(model, &options, &batch));
    run(model, &batch, false, after);
    assert_true(difference(before, after) < 1e-3);
    run(model, &batch, true, training);
    /* The variance that is kept is the unbiased one, of 256 values in the last layers. */
    assert_true(difference(before, training) < .01);
    i3d_batch_clear(&batch);
    i3d_model_free(model);
}

/* The engine that is asked for does the work, and which one it is does not matter. */
static void every_engine_gives_the_same_norms(void **state)
{
    (void)state;
    i3d_train_options options = i3d_train_defaults();
    i3d_batch batch;
    i3d_model *models[2];
    make_batch(&batch);
    for (int e = 0; e < 2; e++) {
        models[e] = make_model();
        options.engine = e ? "reference" : "auto";
        assert_ok(calibrate(models[e], &options, &batch));
    }
    for (size_t p = 0; p < i3d_model_param_count(models[0]); p++) {
        const i3d_param *param = i3d_model_param(models[0], p);
        const float *a = i3d_model_data(models[0]) + param->offset;
        const float *b = i3d_model_data(models[1]) + param->offset;
        double squares = 0, norm = 0;
        for (size_t i = 0; i < param->count; i++) {
            squares += pow((double)a[i] - b[i], 2);
            norm += pow(b[i], 2);
        }
        assert_true(sqrt(squares) <= 1e-4 * sqrt(norm));
    }
    options.engine = "abacus";
    assert_fails(calibrate(models[0], &options, &batch), I3D_EUNSUPPORTED, "abacus");
    i3d_batch_clear(&batch);
    i3d_model_free(models[0]);
    i3d_model_free(models[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_network_computes_stays),
        cmocka_unit_test(every_engine_gives_the_same_norms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
