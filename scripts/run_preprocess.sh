#!/bin/sh
# Writes the clips of one stream as raw files, with the original's arguments; what it says goes to
# output_preprocess/DATASET/MODE/DATASET_MODE_device0_log.txt too. RANK_SIZE threads make the clips
# of one process, so RANK_TABLE_FILE is not needed; nor is NUM_EPOCHS: a clip is written once. The
# clips have the form that CHECKPOINT_PATH records; an empty one: I3D's. They are of the validation
# split: more options, such as --subset training or --compat mindspore, go into I3D_OPTIONS.
set -eu
. "$(dirname "$0")/program.sh"
usage 8 "RANK_SIZE RANK_TABLE_FILE DATASET MODE NUM_EPOCHS VIDEO_PATH ANNOTATION_PATH \
CHECKPOINT_PATH" $#
log=output_preprocess/$3/$4/$3_$4_device0_log.txt
mkdir -p "$(dirname "$log")"
# shellcheck disable=SC2086 # options are meant to be split
i3d preprocess --num-workers "$1" --dataset "$3" --mode "$4" --video-path "$6" \
    --annotation-path "$7" ${8:+--checkpoint-path "$8"} ${I3D_OPTIONS:-} >"$log"
cat "$log"
