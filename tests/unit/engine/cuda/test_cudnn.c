/* Whether cuDNN has engines for all that the cuda engine asks of it, on an H100: it plans for a
 * card that it is only told about. Nothing is run. */
#include "unit/engine/net.h"

#include "engine/cuda/cudnn.h"
#include "engine/cuda/plan.h"

static const char h100[] =
    "{\"deviceVer\":900,\"driverVer\":13000,\"cudaDeviceId\":0,\"deviceName\":\"H100\","
    "\"maxGridSize\":[2147483647,65535,65535],\"maxBlockSize\":[1024,1024,64],"
    "\"regsPerBlock\":65536,\"multiProcessorCount\":132,\"warpSize\":32,"
    "\"maxSharedMemoryPerBlock\":49152,\"maxSharedMemoryPerBlockOptin\":232448,"
    "\"reservedSharedMemoryPerBlock\":1024,\"maxRegistersPerSM\":65536,\"maxCtasPerSM\":32,"
    "\"maxThreadsPerBlock\":1024,\"maxThreadsPerSM\":2048,\"pciDeviceId\":0,\"isTccDriver\":0,"
    "\"supportCoopLaunch\":1,\"smClockRateKHz\":1980000,\"memClockRateKHz\":2619000,"
    "\"l2CacheSize\":52428800,\"totalGlobalMem\":85000000000}";

static void plan(int channels, i3d_precision precision, enum plan_purpose purpose)
{
    const struct convolver_options wish = { .tries = 1, .deterministic = true };
    struct net net = { 0 };
    struct convolver *convolver;
    struct card *card;
    const i3d_model_options options = { .channels = channels, .classes = 51, .bn_epsilon = 1e-3 };
    assert_ok(i3d_model_create(&options, &net.model));
    assert_ok(graph_create(net.model, 16, 112, 112, &net.graph));
    net.request = (struct plan_request){
        .graph = &net.graph, .batch = 2, .precision = precision, .purpose = purpose
    };
    assert_ok(card_open(0, &card));
    assert_ok(convolver_create_without_card(h100, &wish, &convolver));
    assert_ok(cuda_plan_create(&net.request, card, convolver, &net.plan));
    cuda_plan_free(net.plan);
    net.plan = NULL;
    net_free(&net);
}

static void cudnn_plans_every_convolution(void **state)
{
    (void)state;
    static const i3d_precision precisions[] = { I3D_PRECISION_F32, I3D_PRECISION_TF32,
                                                I3D_PRECISION_BF16, I3D_PRECISION_F16 };
    for (size_t p = 0; p < sizeof precisions / sizeof precisions[0]; p++)
        for (int channels = 2; channels <= 3; channels++) {
            plan(channels, precisions[p], PLAN_INFERENCE);
            plan(channels, precisions[p], PLAN_TRAINING);
        }
}

static void refuses_what_no_engine_computes(void **state)
{
    (void)state;
    const struct convolver_options wish = { .tries = 1 };
    struct convolution_shape shape = { .samples = 1,
                                       .in_channels = 8,
                                       .channels = 8,
                                       .in = { 4, 4, 4 },
                                       .out = { 9, 9, 9 }, /* not what such a window gives */
                                       .kernel = { 1, 1, 1 },
                                       .stride = { 1, 1, 1 },
                                       .out_pitch = 8,
                                       .type = ELEMENT_BF16 };
    struct convolver *convolver;
    struct convolution *convolution;
    assert_ok(convolver_create_without_card(h100, &wish, &convolver));
    assert_int_equal(convolver_plan(convolver, &shape, &convolution), I3D_EUNSUPPORTED);
    assert_null(convolution);
    convolver_free(convolver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cudnn_plans_every_convolution),
        cmocka_unit_test(refuses_what_no_engine_computes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
