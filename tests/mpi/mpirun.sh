# Sourced: how tests start processes on this machine, as many cores as there are.
command -v mpirun >/dev/null || {
    echo "skipped: there is no mpirun"
    exit 77
}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
MPIRUN="--oversubscribe --bind-to none"

# mpi N WORDS...: the program with these words, N times.
mpi() {
    n=$1
    shift
    mpirun $MPIRUN -n "$n" "$I3D" "$@"
}
