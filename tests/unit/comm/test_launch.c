/* How many were started together, by the variables that mpirun and srun leave. */
#include "test.h"

#include "comm/comm.h"
#include "comm/launch.h"

static int size_under(const char *const *variables)
{
    static const char *const all[] = { "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS",
                                       "SLURM_NTASKS", "PMIX_RANK" };
    int size;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        unsetenv(all[i]);
    for (; *variables; variables += 2)
        setenv(variables[0], variables[1], 1);
    return launch_size(&size) == I3D_OK ? size : -1;
}

#define UNDER(...) size_under((const char *const[]){ __VA_ARGS__, NULL })

static void a_launched_step_counts(void **state)
{
    (void)state;
    assert_int_equal(UNDER("PATH", "/usr/bin:/bin"), 1);
    assert_int_equal(UNDER("OMPI_COMM_WORLD_SIZE", "3"), 3);
    assert_int_equal(UNDER("PMI_SIZE", "4"), 4);
    assert_int_equal(UNDER("SLURM_STEP_NUM_TASKS", "5", "PMIX_RANK", "0"), 5);
    assert_int_equal(UNDER("SLURM_STEP_NUM_TASKS", "1"), 1);
    /* A shell of sbatch, and mpirun with a Slurm that started its daemons. */
    assert_int_equal(UNDER("SLURM_NTASKS", "6"), 1);
    assert_int_equal(UNDER("SLURM_STEP_NUM_TASKS", "2", "OMPI_COMM_WORLD_SIZE", "8"), 8);
}

static void srun_without_pmix_is_refused(void **state)
{
    (void)state;
    struct comm comm;
    assert_int_equal(UNDER("SLURM_STEP_NUM_TASKS", "2"), -1);
    assert_fails(comm_open(&comm), I3D_EUNSUPPORTED, "give srun --mpi=pmix");
}

static void others_without_a_plug_in_are_refused(void **state)
{
    (void)state;
    struct comm comm;
    assert_int_equal(UNDER("PMI_SIZE", "2"), 2);
    assert_fails(comm_open(&comm), I3D_EUNSUPPORTED, "one of 2 processes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_launched_step_counts),
        cmocka_unit_test(srun_without_pmix_is_refused),
        cmocka_unit_test(others_without_a_plug_in_are_refused),
    };
    unsetenv("I3D_PLUGIN_PATH");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
