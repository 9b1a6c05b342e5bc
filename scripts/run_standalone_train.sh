#!/bin/sh
# Trains one network, with the original's arguments. An empty CHECKPOINT_PATH: from scratch.
set -eu
. "$(dirname "$0")/program.sh"
usage 7 "DEVICE_ID DATASET MODE NUM_EPOCHS VIDEO_PATH ANNOTATION_PATH CHECKPOINT_PATH" $#
i3d train --device-id "$1" --dataset "$2" --mode "$3" --num-epochs "$4" --video-path "$5" \
    --annotation-path "$6" ${7:+--checkpoint-path "$7"}
