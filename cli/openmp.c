#include "openmp.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* A few microseconds: as long as a barrier takes where all threads run. */
#define SPINS "1000"

void openmp_settle(char **argv)
{
    char program[PATH_MAX]; /* by its own name: ps would show "exe" for the link's */
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT"))
        return;
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length < 0 || setenv("GOMP_SPINCOUNT", SPINS, 1) != 0)
        return;
    program[length] = '\0';
    execv(program, argv);
}

const char *openmp_waiting(void)
{
    const char *policy = getenv("OMP_WAIT_POLICY");
    if (policy)
        return policy;
    return getenv("GOMP_SPINCOUNT") ? "asleep, after a short spin" : "spinning";
}
