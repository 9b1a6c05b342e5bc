#!/bin/sh
# Trains one network, with the original's arguments. An empty CHECKPOINT_PATH: from scratch. More
# options, such as --compat mindspore, go into I3D_OPTIONS.
set -eu
. "$(dirname "$0")/program.sh"
usage 7 "DEVICE_ID DATASET MODE NUM_EPOCHS VIDEO_PATH ANNOTATION_PATH CHECKPOINT_PATH" $#
# shellcheck disable=SC2086 # options are meant to be split
i3d train --device-id "$1" --dataset "$2" --mode "$3" --num-epochs "$4" --video-path "$5" \
    --annotation-path "$6" ${7:+--checkpoint-path "$7"} ${I3D_OPTIONS:-}
