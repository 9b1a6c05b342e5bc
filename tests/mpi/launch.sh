#!/bin/sh
# launch.sh N PROGRAM ARGUMENTS...: the program as N processes of mpirun on this machine, as many
# cores as there are.
command -v mpirun >/dev/null || {
    echo "skipped: there is no mpirun"
    exit 77
}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
n=$1
shift
exec mpirun --oversubscribe --bind-to none -n "$n" "$@"
