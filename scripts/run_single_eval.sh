#!/bin/sh
# Evaluates one network, with the original's arguments; a copy of what it says goes to
# single_eval_MODE_log.txt. For a checkpoint of the original: I3D_OPTIONS="--compat mindspore".
set -eu
. "$(dirname "$0")/program.sh"
usage 6 "DEVICE_ID MODE DATASET CKPT_PATH VIDEO_PATH ANNOTATION_PATH" $#
# shellcheck disable=SC2086 # options are meant to be split
i3d eval --device-id "$1" --mode "$2" --dataset "$3" --"$2" "$4" --video-path "$5" \
    --annotation-path "$6" ${I3D_OPTIONS:-} >"single_eval_$2_log.txt" || exit 1
cat "single_eval_$2_log.txt"
