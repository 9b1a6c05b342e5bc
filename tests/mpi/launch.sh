#!/bin/sh
# launch.sh N PROGRAM ARGUMENTS...: the program as N processes.
. "$(dirname "$0")/mpirun.sh"
n=$1
shift
exec mpirun $MPIRUN -n "$n" "$@"
