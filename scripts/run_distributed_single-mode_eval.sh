#!/bin/sh
# Evaluates eight checkpoints of a run, those of epoch CKPT_START_ID and the seven after it, as many
# at once as there are cores, or I3D_PROCESSES. output_eval/ gets a log of each, eval_divice0_log.txt
# and so on as the original calls them, and summary.txt. More options go into I3D_OPTIONS. Files of
# an earlier evaluation are removed there, others are not touched.
set -eu
. "$(dirname "$0")/program.sh"
usage 7 "CKPT_START_ID MODE DATASET ANNOTATION_PATH VIDEO_PATH OUTPUT_CKPT_PATH TRAIN_STEPS" $#
start=$1 mode=$2 dataset=$3 annotation=$4 videos=$5 checkpoints=$6 steps=$7
[ -d "$6/checkpoints" ] && checkpoints=$6/checkpoints
processes=${I3D_PROCESSES:-$(nproc)}
threads=$(($(nproc) / processes))
[ $threads -gt 0 ] || threads=1

# evaluate I: the I-th checkpoint, if there is one.
evaluate() {
    checkpoint=$checkpoints/i3d-$((start + $1))_$steps.ckpt
    [ -e "$checkpoint" ] || return 0
    # shellcheck disable=SC2086 # options are meant to be split
    i3d eval --device-id "$1" --mode "$mode" --dataset "$dataset" --annotation-path "$annotation" \
        --video-path "$videos" "--$mode" "$checkpoint" --threads $threads ${I3D_OPTIONS:-} \
        >"output_eval/eval_divice$1_log.txt" 2>"output_eval/eval_divice$1_errors.txt"
}

mkdir -p output_eval
rm -f output_eval/eval_divice[0-7]_log.txt output_eval/eval_divice[0-7]_errors.txt \
    output_eval/summary.txt
failed=0 first=0
while [ $first -lt 8 ]; do
    pids= i=$first
    while [ $i -lt 8 ] && [ $i -lt $((first + processes)) ]; do
        evaluate $i &
        pids="$pids $!" i=$((i + 1))
    done
    for pid in $pids; do
        wait "$pid" || failed=1
    done
    first=$i
done
for log in output_eval/eval_divice[0-7]_log.txt; do
    [ -e "$log" ] || {
        echo "$(basename "$0"): '$checkpoints' has no i3d-EPOCH_$steps.ckpt of epochs $start to \
$((start + 7))" >&2
        exit 1
    }
    grep '^checkpoint: \|accuracy: ' "$log" >>output_eval/summary.txt || true
done
cat output_eval/eval_divice[0-7]_errors.txt >&2
cat output_eval/summary.txt
exit $failed
