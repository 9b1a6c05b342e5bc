#!/bin/sh
# The main job on data made here: demo.sh PROGRAM FOLDER. Every number it prints is measured by the
# commands it shows. A finished step is not done again, so it can be stopped and started.
set -eu
i3d=$1
out=$2

title() {
    printf '\n== %s\n' "$1"
}

# Runs the program as a user would type it.
run() {
    printf '$ i3d'
    printf ' %s' "$@"
    printf '\n'
    "$i3d" "$@"
}

mkdir -p "$out"
title "1. Videos in which the class is the motion, and no single frame tells it"
[ -e "$out/videos" ] || run synth "$out/videos"

title "2. Frames, TV-L1 flow and the annotation, one pass over each video"
run prepare synth "$out/videos" "$out/data" --split "$out/videos/split.csv" --size 90

for mode in rgb flow; do
    title "3. The $mode network, from scratch"
    if [ -n "$(find "$out/$mode" -name 'i3d-*.ckpt' 2>/dev/null)" ]; then
        run train --resume "$out/$mode" --sink-mode
    else
        run train --dataset synth --mode "$mode" --save-dir "$out/$mode" --sink-mode \
            --video-path "$out/data/$mode/synth/jpg" \
            --annotation-path "$out/data/$mode/synth/annotation/synth_1.json" \
            --train-sample-duration 16 --spatial-size 64 --resize 72 \
            --num-epochs 12 --lr-schedule cosine --checkpoints-num-keep 2
    fi
done

# The last checkpoints: best.ckpt was chosen on the very videos that now judge.
rgb=$(find "$out/rgb/checkpoints" -name 'i3d-*.ckpt' | sort -V | tail -n 1)
flow=$(find "$out/flow/checkpoints" -name 'i3d-*.ckpt' | sort -V | tail -n 1)

title "4. Accuracy on the held-out videos: rgb, flow and both"
run eval --mode joint --rgb "$rgb" --flow "$flow" \
    --video-path "$out/data/rgb/synth/jpg" --video-path-joint-flow "$out/data/flow/synth/jpg" \
    --annotation-path "$out/data/rgb/synth/annotation/synth_1.json" --save-dir "$out/result"

title "5. One video file, straight from its frames to its class"
video=$(find "$out/videos/turn" -name '*.avi' | sort | tail -n 1)
run predict "$video" --size 90 --rgb "$rgb" --flow "$flow"

title "Look at"
find "$out/result" -type f ! -name '.*' | sort
echo "$out/rgb/log.jsonl $out/flow/log.jsonl"
