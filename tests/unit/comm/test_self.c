/* A comm of one: sums are there already, collections are copies. */
#include "test.h"

#include "comm/comm.h"

static void one_process_is_all_of_them(void **state)
{
    (void)state;
    struct comm comm;
    float floats[3] = { 1, 2, 3 }, collected[3] = { 0 };
    struct array array = { .data = floats, .count = 3, .dtype = I3D_F32 };
    struct array out = { .data = collected, .count = 3, .dtype = I3D_F32 };
    assert_ok(comm_open(&comm));
    assert_int_equal(comm.rank, 0);
    assert_int_equal(comm.size, 1);
    assert_string_equal(comm.kind->name, "self");
    assert_ok(comm_reduce(&comm, array));
    assert_ok(comm_wait(&comm));
    assert_true(floats[0] == 1 && floats[2] == 3);
    assert_ok(comm_broadcast(&comm, array, 0));
    assert_ok(comm_gather(&comm, array, 0, out));
    assert_memory_equal(floats, collected, sizeof floats);
    assert_fails(comm_broadcast(&comm, array, 1), I3D_EINVAL, "no process 1");
    out.count = 2;
    assert_fails(comm_gather(&comm, array, 0, out), I3D_EINVAL, "do not fill 2");
    out = array;
    array.kind = MEMORY_CUDA;
    assert_fails(comm_gather(&comm, array, 0, out), I3D_EUNSUPPORTED, "host memory");
    comm_close(&comm);
    assert_null(comm.kind);
    comm_close(&comm);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(one_process_is_all_of_them) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
