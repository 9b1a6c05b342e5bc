#!/bin/sh
# run_preprocess.sh for HMDB51 and UCF101, rgb and flow, one after the other; no arguments. The
# videos are where 'i3d prepare' writes them when it is told the current folder, the checkpoints
# where the original has them; those that are not there are done without.
set -eu
. "$(dirname "$0")/program.sh"
usage 0 "" $#
for mode in rgb flow; do
    checkpoint=src/pretrained/${mode}_imagenet.ckpt
    [ -e "$checkpoint" ] || checkpoint=
    for dataset in hmdb51 ucf101; do
        split=1
        [ $dataset = ucf101 ] && split=01
        sh "$(dirname "$0")/run_preprocess.sh" "$(nproc)" "" $dataset $mode 1 $mode/$dataset/jpg \
            $mode/$dataset/annotation/${dataset}_$split.json "$checkpoint"
    done
done
