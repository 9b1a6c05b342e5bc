/* A step whose clips are split over processes, and over the batches of each: mpirun starts this
 * program, which compares it with a step of one batch of one process. */
#include "test.h"

#include "comm/comm.h"
#include "trace.h"

#include <math.h>

static i3d_comm *comm;

/* The program's own split: batches of four clips, so of three processes one has none. */
static const struct trace_case *find(const char *name)
{
    for (int c = 0; c < TRACE_CASES; c++)
        if (strcmp(trace_cases[c].name, name) == 0)
            return &trace_cases[c];
    fail_msg("there is no case '%s'", name);
    return NULL;
}

/* The losses of both ways, and how far they are apart at the first step and at most. */
static void compare(const char *name, const struct trace_way *way, int steps, double first,
                    double all)
{
    double split[TRACE_STEPS], whole[TRACE_STEPS], running[2], wanted[2];
    struct trace_way alone = { .engine = way->engine, .precision = way->precision };
    assert_ok(trace_run(find(name), way, steps, split, running));
    if (i3d_comm_rank(comm) != 0) /* one process is enough to be one process */
        return;
    assert_ok(trace_run(find(name), &alone, steps, whole, wanted));
    for (int i = 0; i < steps; i++)
        if (!(fabs(split[i] / whole[i] - 1) <= (i ? all : first)))
            fail_msg("%s, step %d: the loss is %.9g, of one process %.9g", name, i, split[i],
                     whole[i]);
    for (int i = 0; i < 2; i++)
        if (!(fabs(running[i] - wanted[i]) <= all * wanted[i]))
            fail_msg("%s: the running statistics are %.9g, of one process %.9g", name, running[i],
                     wanted[i]);
}

static void with_synchronous_norms_it_is_one_process(void **state)
{
    (void)state;
    struct trace_way way = { .comm = comm, .sync_bn = true };
    int steps = i3d_comm_size(comm) == 2 ? TRACE_STEPS : 3;
    compare("sgd-flow-all", &way, 3, 1e-6, 1e-3);
    compare("adam-flow-fine", &way, steps, 1e-6, 1e-3);
}

static void in_float64_to_many_digits(void **state)
{
    (void)state;
    struct trace_way way = {
        .engine = "reference", .precision = I3D_PRECISION_F32_F64, .comm = comm, .sync_bn = true
    };
    compare("adam-flow-fine", &way, 2, 1e-6, 1e-5);
}

static void frozen_norms_make_parts_one_batch(void **state)
{
    (void)state;
    struct trace_way way = { .comm = comm, .accumulate = 2 };
    compare("sgd-flow-logits", &way, 4, 1e-6, 1e-6);
    way.accumulate = 3; /* which leaves some without clips */
    compare("sgd-flow-logits", &way, 4, 1e-6, 1e-6);
}

/* Of one process: the parts of a step are what it makes of a batch. */
static void one_process_accumulates_too(void **state)
{
    (void)state;
    compare("sgd-flow-logits", &(struct trace_way){ .accumulate = 4 }, 4, 1e-6, 1e-6);
}

static void the_same_number_gives_the_same_bits(void **state)
{
    (void)state;
    double losses[2][TRACE_STEPS], running[2][2];
    struct trace_way way = { .comm = comm };
    for (int i = 0; i < 2; i++)
        assert_ok(trace_run(find("adam-flow-fine"), &way, 3, losses[i], running[i]));
    assert_memory_equal(losses[0], losses[1], 3 * sizeof(double));
    assert_memory_equal(running[0], running[1], sizeof running[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_synchronous_norms_it_is_one_process),
        cmocka_unit_test(in_float64_to_many_digits),
        cmocka_unit_test(frozen_norms_make_parts_one_batch),
        cmocka_unit_test(one_process_accumulates_too),
        cmocka_unit_test(the_same_number_gives_the_same_bits),
    };
    if (i3d_comm_open(&comm) != I3D_OK) {
        fprintf(stderr, "%s\n", i3d_error());
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed)
        i3d_comm_abandon(comm);
    i3d_comm_close(comm);
    return failed;
}
