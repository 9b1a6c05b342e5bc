# The original's scripts, by name, with its arguments in its order, from any directory.

# A copy away from the build, so that the program is the one in PATH.
mkdir -p tools/scripts bin
cp "$I3D_SOURCE"/scripts/*.sh tools/scripts
ln -s "$I3D" bin/i3d
PATH=$PWD/bin:$PATH
scripts=$PWD/tools/scripts
i3d synth v --classes 2 --videos-per-class 4 --frames 10 --size 48 --quiet >/dev/null
i3d prepare mine v data --split v/split.csv --size 0 --quiet >/dev/null
for mode in rgb flow; do
    i3d train --mode $mode --video-path data/$mode/mine/jpg --save-dir start_$mode --resize 0 \
        --annotation-path data/$mode/mine/annotation/mine_1.json --train-sample-duration 8 \
        --spatial-size 32 --batch-size 4 --num-epochs 1 --optimizer sgd --quiet >/dev/null
done
at=$PWD/data
mkdir elsewhere
cd elsewhere

I3D_OPTIONS="--train-sample-duration 8 --spatial-size 32 --resize 0 --batch-size 2 --threads 1" \
    sh "$scripts/run_standalone_train.sh" 5 mine rgb 2 "$at/rgb/mine/jpg" \
    "$at/rgb/mine/annotation/mine_1.json" ../start_rgb/checkpoints/best.ckpt >stdout 2>stderr
run=$(echo output_standalone/*_mine_rgb_device5)
same "folder: $run" "$(head -n 1 stdout)"
[ -e "$run/checkpoints/i3d-2_2.ckpt" ]

sh "$scripts/run_single_eval.sh" 0 flow mine ../start_flow/checkpoints/best.ckpt \
    "$at/flow/mine/jpg" "$at/flow/mine/annotation/mine_1.json" >stdout 2>stderr
cmp stdout single_eval_flow_log.txt
grep -q '^flow accuracy: ' stdout

sh "$scripts/run_joint_eval.sh" 0 mine "$at/rgb/mine/jpg" "$at/flow/mine/jpg" \
    "$at/rgb/mine/annotation/mine_1.json" "$at/flow/mine/annotation/mine_1.json" \
    "$run/checkpoints/best.ckpt" ../start_flow/checkpoints/best.ckpt >stdout 2>stderr
cmp stdout joint_eval_log.txt
grep -q '^joint accuracy: ' stdout

sh "$scripts/run_distributed_single-mode_eval.sh" 1 rgb mine "$at/rgb/mine/annotation/mine_1.json" \
    "$at/rgb/mine/jpg" "$run" 2 >stdout 2>stderr
same 2 "$(grep -c '\.ckpt$' "$run/checkpoints/summary.txt")"

fails 2 "usage: run_single_eval.sh DEVICE_ID MODE" sh "$scripts/run_single_eval.sh" 0 rgb
fails 2 "usage: run_standalone_train.sh DEVICE_ID" sh "$scripts/run_standalone_train.sh"
fails 2 "usage: run_joint_eval.sh DEVICE_ID" sh "$scripts/run_joint_eval.sh" 1
fails 2 "usage: run_distributed_single-mode_eval.sh CKPT_START_ID" \
    sh "$scripts/run_distributed_single-mode_eval.sh" 1 2 3
fails 1 "none.ckpt" sh "$scripts/run_single_eval.sh" 0 rgb mine none.ckpt "$at/rgb/mine/jpg" \
    "$at/rgb/mine/annotation/mine_1.json"
