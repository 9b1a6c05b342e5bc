/* How OpenMP's threads wait for each other. */
#ifndef I3D_CLI_OPENMP_H
#define I3D_CLI_OPENMP_H

/* By default they spin for milliseconds, which takes the cores from the very threads they wait for
 * where anything else runs. libgomp reads its variables when it is loaded, so this sets
 * GOMP_SPINCOUNT, if the user has not said how to wait, and starts the program once more. */
void openmp_settle(char **argv);

/* What is set, for people; a constant or a variable's own text. */
const char *openmp_waiting(void);

#endif
