#!/bin/sh
# Trains one network by RANK_SIZE processes, with the original's arguments; what is said goes to
# output_distribute/DATASET_MODE_deviceN_log.txt too. RANK_TABLE_FILE is HCCL's: its servers are the
# hosts, its devices the processes of each; an empty one: all processes run here. An empty
# CHECKPOINT_PATH: from scratch. More options, such as --compat mindspore, go into I3D_OPTIONS, those
# of mpirun into MPIRUN_OPTIONS. Within a job of Slurm srun starts the processes.
set -eu
. "$(dirname "$0")/program.sh"
usage 8 "RANK_SIZE RANK_TABLE_FILE DATASET MODE NUM_EPOCHS VIDEO_PATH ANNOTATION_PATH \
CHECKPOINT_PATH" $#
size=$1 device=0 hosts=
case $size in
*[!0-9]* | '' | 0*)
    echo "$(basename "$0"): RANK_SIZE is a number from 1 on, not '$size'" >&2
    exit 2
    ;;
esac
if [ -n "$2" ]; then
    table=$(i3d rank-table "$2" "$size")
    device=$(echo "$table" | sed -n 's/^device: //p')
    hosts=$(echo "$table" | sed -n 's/^hosts: //p')
fi
program=$(find_i3d)
log=output_distribute/$3_$4_device${device}_log.txt
mkdir -p output_distribute
# Each process has its share of the machine's cores, which mpirun would cut to one where they are
# few.
if [ -n "${SLURM_JOB_ID:-}" ] && command -v srun >/dev/null; then
    launch="srun --mpi=pmix --kill-on-bad-exit=1 -n $size"
elif command -v mpirun >/dev/null; then
    launch="mpirun --bind-to none ${hosts:+--host $hosts} --oversubscribe -n $size"
else
    echo "$(basename "$0"): there is neither mpirun nor a Slurm job: apt-get install openmpi-bin" >&2
    exit 1
fi
set -- --distributed --device-id "$device" --dataset "$3" --mode "$4" --num-epochs "$5" \
    --video-path "$6" --annotation-path "$7" ${8:+--checkpoint-path "$8"}
# shellcheck disable=SC2086 # options are meant to be split
$launch ${MPIRUN_OPTIONS:-} "$program" train "$@" ${I3D_OPTIONS:-} >"$log.part" || {
    rm -f "$log.part" # of a run that was refused; the log of the one before it stays
    exit 1
}
mv "$log.part" "$log"
cat "$log"
