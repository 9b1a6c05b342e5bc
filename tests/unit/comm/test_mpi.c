/* The contract of a comm, as each of several processes sees it: mpirun starts this program. */
#include "test.h"

#include "comm/comm.h"

#include <math.h>
#include <time.h>
#include <unistd.h>

static struct comm *comm;

static struct array floats(float *data, size_t count)
{
    return (struct array){ .data = data, .count = count, .dtype = I3D_F32 };
}

static struct array doubles(double *data, size_t count)
{
    return (struct array){ .data = data, .count = count, .dtype = I3D_F64 };
}

static void there_are_others(void **state)
{
    (void)state;
    const char *wanted = getenv("OMPI_COMM_WORLD_SIZE");
    struct comm again;
    assert_string_equal(comm->kind->name, "mpi");
    assert_int_equal(comm->size, atoi(wanted));
    assert_int_equal(comm->rank, atoi(getenv("OMPI_COMM_WORLD_RANK")));
    assert_fails(comm_open(&again), I3D_EINVAL, "once in a process");
}

static void sums_are_of_all(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    static float a[COUNT], b[COUNT];
    double c[2] = { comm->rank, 1 };
    for (int i = 0; i < COUNT; i++) {
        a[i] = (float)(i * (comm->rank + 1));
        b[i] = 1;
    }
    assert_ok(comm_reduce(comm, floats(a, COUNT)));
    assert_ok(comm_reduce(comm, floats(b, 7)));
    assert_ok(comm_sum(comm, doubles(c, 2))); /* while the others go on */
    assert_true(c[0] == comm->size * (comm->size - 1) / 2. && c[1] == comm->size);
    assert_ok(comm_wait(comm));
    int ranks = comm->size * (comm->size + 1) / 2;
    for (int i = 0; i < COUNT; i++)
        assert_true(a[i] == (float)i * (float)ranks && b[i] == (i < 7 ? (float)comm->size : 1.f));
    assert_ok(comm_wait(comm)); /* there is nothing to wait for */
}

/* Numbers whose sum depends on its order, by processes that come late in turn. */
static void the_order_of_a_sum_is_not_that_of_arrival(void **state)
{
    (void)state;
    enum { COUNT = 5000, ROUNDS = 6 };
    static float first[COUNT], again[COUNT], root[COUNT];
    for (int round = 0; round < ROUNDS; round++) {
        float *sums = round ? again : first;
        for (int i = 0; i < COUNT; i++)
            sums[i] = sinf((float)(i + 1) * (float)(comm->rank + 1)) *
                      powf(10, (float)((i + 3 * comm->rank) % 9));
        if (round % comm->size == comm->rank)
            nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
        assert_ok(comm_reduce(comm, floats(sums, COUNT)));
        assert_ok(comm_wait(comm));
        assert_memory_equal(first, sums, sizeof first);
        memcpy(root, sums, sizeof root);
        assert_ok(comm_broadcast(comm, floats(root, COUNT), 0));
        assert_memory_equal(root, sums, sizeof root); /* everyone has the same bits */
    }
}

static void many_sums_may_be_under_way(void **state)
{
    (void)state;
    enum { SUMS = 600 };
    static double numbers[SUMS];
    for (int i = 0; i < SUMS; i++) {
        numbers[i] = i + comm->rank;
        assert_ok(comm_reduce(comm, doubles(&numbers[i], 1)));
    }
    assert_ok(comm_wait(comm));
    for (int i = 0; i < SUMS; i++)
        assert_true(numbers[i] == comm->size * i + comm->size * (comm->size - 1) / 2);
}

static void copies_and_collections(void **state)
{
    (void)state;
    char word[8] = "", words[8 * 64] = "";
    int last = comm->size - 1;
    snprintf(word, sizeof word, "rank %d", comm->rank);
    assert_ok(comm_gather(comm, array_of_bytes(word, sizeof word), last,
                          array_of_bytes(words, sizeof word * (size_t)comm->size)));
    for (int r = 0; comm->rank == last && r < comm->size; r++) {
        char wanted[8];
        snprintf(wanted, sizeof wanted, "rank %d", r);
        assert_string_equal(words + 8 * r, wanted);
    }
    assert_ok(comm_broadcast(comm, array_of_bytes(word, sizeof word), last));
    assert_int_equal(word[5], '0' + last);
}

static void what_cannot_be_moved_is_refused(void **state)
{
    (void)state;
    float number = 1, collected[8];
    struct array array = floats(&number, 1);
    assert_fails(comm_broadcast(comm, array, comm->size), I3D_EINVAL, "there is no process");
    assert_fails(comm_sum(comm, array_of_bytes(&number, 4)), I3D_EINVAL, "float32 and float64");
    if (comm->rank == 0)
        assert_fails(comm_gather(comm, array, 0, floats(collected, 1)), I3D_EINVAL, "do not fill");
    array.kind = MEMORY_CUDA;
    assert_fails(comm_reduce(comm, array), I3D_EUNSUPPORTED, "host memory");
}

static void all_agree_on_the_first_that_failed(void **state)
{
    (void)state;
    assert_ok(i3d_comm_agree(comm, I3D_OK));
    i3d_status mine = comm->rank == 0 ? I3D_OK : I3D_EIO;
    i3d_status agreed = i3d_comm_agree(comm, mine);
    assert_int_equal(agreed, comm->rank == 1 ? I3D_EIO : I3D_EELSEWHERE);
    if (comm->rank != 1)
        assert_non_null(strstr(i3d_error(), "process 1 of"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_are_others),
        cmocka_unit_test(sums_are_of_all),
        cmocka_unit_test(the_order_of_a_sum_is_not_that_of_arrival),
        cmocka_unit_test(many_sums_may_be_under_way),
        cmocka_unit_test(copies_and_collections),
        cmocka_unit_test(what_cannot_be_moved_is_refused),
        cmocka_unit_test(all_agree_on_the_first_that_failed),
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
