#!/bin/sh
# Evaluates both networks and their sum, with the original's arguments; a copy of what it says goes
# to joint_eval_log.txt. For checkpoints of the original: I3D_OPTIONS="--compat mindspore".
set -eu
. "$(dirname "$0")/program.sh"
usage 8 "DEVICE_ID DATASET VIDEO_PATH VIDEO_PATH_JOINT_FLOW ANNOTATION_PATH \
ANNOTATION_PATH_JOINT_FLOW RGB_PATH FLOW_PATH" $#
# shellcheck disable=SC2086 # options are meant to be split
i3d eval --mode joint --device-id "$1" --dataset "$2" --video-path "$3" \
    --video-path-joint-flow "$4" --annotation-path "$5" --annotation-path-joint-flow "$6" \
    --rgb "$7" --flow "$8" ${I3D_OPTIONS:-} >joint_eval_log.txt || exit 1
cat joint_eval_log.txt
