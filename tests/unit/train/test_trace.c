/* Trainings against PyTorch in float64. The golden losses are made by tests/oracle/train_losses.py,
 * which runs this program for its initial weights:
 *     test_train_trace dump CASE FOLDER
 *     test_train_trace losses CASE [ENGINE [ACCUMULATE]]
 * which under mpirun splits each batch over the processes, each with norms of its own. */
#include "test.h"

#include "trace.h"

#include <math.h>

static const struct trace_case *find(const char *name)
{
    for (int c = 0; c < TRACE_CASES; c++)
        if (strcmp(trace_cases[c].name, name) == 0)
            return &trace_cases[c];
    fprintf(stderr, "there is no case '%s'\n", name);
    exit(2);
}

/* A line of the golden file: the case's name and its losses. */
static void read_golden(const char *name, double losses[TRACE_STEPS])
{
    FILE *stream = fopen(I3D_GOLDEN "/train/losses.txt", "r");
    char word[64];
    assert_non_null(stream);
    while (fscanf(stream, "%63s", word) == 1) {
        for (int step = 0; step < TRACE_STEPS; step++)
            assert_int_equal(fscanf(stream, "%lf", &losses[step]), 1);
        if (strcmp(word, name) == 0)
            break;
    }
    fclose(stream);
    assert_string_equal(word, name);
}

static void check(const char *name, const char *engine, int steps)
{
    double wanted[TRACE_STEPS], losses[TRACE_STEPS];
    read_golden(name, wanted);
    assert_ok(trace_run(find(name), &(struct trace_way){ .engine = engine }, steps, losses, NULL));
    for (int step = 0; step < steps; step++)
        if (fabs(losses[step] / wanted[step] - 1) > 1e-3)
            fail_msg("%s, step %d: the loss is %.9g, PyTorch's %.9g", name, step, losses[step],
                     wanted[step]);
}

static void adam_follows_pytorch(void **state)
{
    (void)state;
    check("adam-rgb-all", "auto", TRACE_STEPS);
    check("adam-flow-fine", "auto", TRACE_STEPS);
}

static void sgd_follows_pytorch(void **state)
{
    (void)state;
    check("sgd-flow-all", "auto", TRACE_STEPS);
    check("sgd-rgb-fine", "auto", TRACE_STEPS);
}

static void rmsprop_follows_pytorch(void **state)
{
    (void)state;
    check("rmsprop-rgb-all", "auto", TRACE_STEPS);
    check("rmsprop-flow-fine", "auto", TRACE_STEPS);
}

static void the_reference_engine_follows_pytorch(void **state)
{
    (void)state;
    check("adam-flow-fine", "reference", 2);
}

static int report(i3d_status status)
{
    if (status != I3D_OK)
        fprintf(stderr, "%s\n", i3d_error());
    return status != I3D_OK;
}

/* The losses, then the norms of the running means and variances. */
static int print_losses(const char *name, const char *engine, int accumulate)
{
    double losses[TRACE_STEPS], running[2];
    struct trace_way way = { .engine = engine, .accumulate = accumulate };
    if (i3d_comm_open(&way.comm) != I3D_OK)
        return report(I3D_EUNSUPPORTED);
    bool first = i3d_comm_rank(way.comm) == 0;
    i3d_status status = trace_run(find(name), &way, TRACE_STEPS, losses, running);
    for (int step = 0; status == I3D_OK && first && step < TRACE_STEPS; step++)
        printf("%.9g\n", losses[step]);
    if (status == I3D_OK && first)
        printf("%.9g\n%.9g\n", running[0], running[1]);
    i3d_comm_close(way.comm);
    return report(status);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adam_follows_pytorch),
        cmocka_unit_test(sgd_follows_pytorch),
        cmocka_unit_test(rmsprop_follows_pytorch),
        cmocka_unit_test(the_reference_engine_follows_pytorch),
    };
    if (argc == 4 && strcmp(argv[1], "dump") == 0)
        return report(trace_dump(find(argv[2]), argv[3]));
    if (argc >= 3 && strcmp(argv[1], "losses") == 0)
        return print_losses(argv[2], argc > 3 ? argv[3] : "auto", argc > 4 ? atoi(argv[4]) : 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
