#!/bin/sh
# Evaluates eight checkpoints of a run, epochs CKPT_START_ID and the seven after it, and writes
# summary.txt beside them, the best first. TRAIN_STEPS is not needed: the files' names tell it.
set -eu
. "$(dirname "$0")/program.sh"
usage 7 "CKPT_START_ID MODE DATASET ANNOTATION_PATH VIDEO_PATH OUTPUT_CKPT_PATH TRAIN_STEPS" $#
checkpoints=$6
[ -d "$6/checkpoints" ] && checkpoints=$6/checkpoints
# shellcheck disable=SC2086 # options are meant to be split
i3d eval --mode "$2" --dataset "$3" --annotation-path "$4" --video-path "$5" \
    --checkpoints "$checkpoints" --from "$1" --to $(($1 + 7)) ${I3D_OPTIONS:-}
