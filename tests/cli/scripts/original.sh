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

mkdir output_eval
echo mine >output_eval/note.txt
echo old >output_eval/eval_divice7_log.txt
sh "$scripts/run_distributed_single-mode_eval.sh" 1 rgb mine "$at/rgb/mine/annotation/mine_1.json" \
    "$at/rgb/mine/jpg" "$run" 2 >stdout 2>stderr
cmp stdout output_eval/summary.txt
for i in 0 1; do
    same "checkpoint: $run/checkpoints/i3d-$((i + 1))_2.ckpt" \
        "$(head -n 1 output_eval/eval_divice${i}_log.txt)"
done
same 2 "$(grep -c '^checkpoint: ' output_eval/summary.txt)"
same 2 "$(grep -c '^rgb accuracy: ' output_eval/summary.txt)"
same mine "$(cat output_eval/note.txt)"
[ ! -e output_eval/eval_divice7_log.txt ]
fails 1 'has no i3d-EPOCH_2.ckpt of epochs 5 to 12' \
    sh "$scripts/run_distributed_single-mode_eval.sh" 5 rgb mine \
    "$at/rgb/mine/annotation/mine_1.json" "$at/rgb/mine/jpg" "$run" 2

# With ONNX Runtime it evaluates, without it it says so; the device means something or is refused.
onnx="$scripts/run_eval_onnx.sh"
i3d export ../start_flow/checkpoints/best.ckpt flow.onnx --batch-size 3 --quiet >/dev/null
if i3d doctor | grep -q 'onnxruntime: graphs'; then
    sh "$onnx" flow CPU 0 mine "$at/flow/mine/jpg" "$at/flow/mine/annotation/mine_1.json" \
        flow.onnx >stdout 2>stderr
    cmp stdout flow_onnx_eval.log
    same "$(sed -n '/^flow accuracy/p' single_eval_flow_log.txt)" "$(sed -n '/^flow accuracy/p' stdout)"
else
    fails 1 'without ONNX Runtime' sh "$onnx" flow CPU 0 mine "$at/flow/mine/jpg" \
        "$at/flow/mine/annotation/mine_1.json" flow.onnx
fi
fails 2 "DEVICE_TARGET is CPU or GPU, not 'Ascend'" sh "$onnx" flow Ascend 0 mine a b flow.onnx
fails 2 "usage: run_eval_onnx.sh rgb|flow DEVICE_TARGET" sh "$onnx" flow CPU 0 mine a b
fails 2 "usage: run_eval_onnx.sh joint DEVICE_TARGET" sh "$onnx" joint CPU 0 mine a b flow.onnx
fails 2 "usage: run_single_eval.sh DEVICE_ID MODE" sh "$scripts/run_single_eval.sh" 0 rgb
fails 2 "usage: run_standalone_train.sh DEVICE_ID" sh "$scripts/run_standalone_train.sh"
fails 2 "usage: run_joint_eval.sh DEVICE_ID" sh "$scripts/run_joint_eval.sh" 1
fails 2 "usage: run_distributed_single-mode_eval.sh CKPT_START_ID" \
    sh "$scripts/run_distributed_single-mode_eval.sh" 1 2 3
fails 1 "none.ckpt" sh "$scripts/run_single_eval.sh" 0 rgb mine none.ckpt "$at/rgb/mine/jpg" \
    "$at/rgb/mine/annotation/mine_1.json"

# The edge pipeline: clips, results and logs in the current folder.
sh "$scripts/run_preprocess.sh" 2 hccl.json mine flow 60 "$at/flow/mine/jpg" \
    "$at/flow/mine/annotation/mine_1.json" ../start_flow/checkpoints/best.ckpt >stdout
cmp stdout output_preprocess/mine/flow/mine_flow_device0_log.txt
grep -q '^clips: 4$' stdout
[ -e preprocess_Result/data/mine/flow/mine_bsflow_1.bin ]
sh "$scripts/run_infer_310.sh" ../start_flow/checkpoints/best.ckpt mine 0 flow >stdout
cat infer_mine_flow.log acc_mine_flow.log | cmp stdout -
grep -q '^eval result: top_1 ' acc_mine_flow.log
same "$(sed -n 's/^flow accuracy/accuracy/p' single_eval_flow_log.txt)" \
    "$(grep '^accuracy' acc_mine_flow.log)"
fails 2 "there is no device '1'" sh "$scripts/run_infer_310.sh" a.mindir mine 1 flow
fails 2 "usage: run_infer_310.sh MINDIR_PATH DATASET DEVICE_ID MODE" \
    sh "$scripts/run_infer_310.sh" a.mindir mine 0
fails 1 "none.mindir" sh "$scripts/run_infer_310.sh" none.mindir mine 0 flow
fails 2 "usage: run_preprocess.sh RANK_SIZE" sh "$scripts/run_preprocess.sh" 1

# All four of HMDB51 and UCF101: here under the names where it looks for them.
for mode in rgb flow; do
    mkdir -p $mode src/pretrained
    cp "../start_$mode/checkpoints/best.ckpt" src/pretrained/${mode}_imagenet.ckpt
    for dataset in hmdb51_1 ucf101_01; do
        cp -r "$at/$mode/mine" $mode/${dataset%_*}
        mv $mode/${dataset%_*}/annotation/mine_1.json $mode/${dataset%_*}/annotation/$dataset.json
    done
done
sh "$scripts/run_preprocess_all.sh" >stdout
same 4 "$(grep -c '^clips: 4$' stdout)"
sh "$scripts/run_infer_310_all.sh" src/pretrained/rgb_imagenet.ckpt src/pretrained/flow_imagenet.ckpt \
    src/pretrained/rgb_imagenet.ckpt src/pretrained/flow_imagenet.ckpt 0 >stdout
same 4 "$(grep -c '^eval result: top_1' stdout)"
cmp acc_ucf101_flow.log acc_mine_flow.log
cmp acc_hmdb51_rgb.log acc_ucf101_rgb.log
fails 2 "usage: run_infer_310_all.sh MINDIR_PATH_HMDB51_RGB" sh "$scripts/run_infer_310_all.sh" 1 2 3 4
fails 2 "usage: run_preprocess_all.sh" sh "$scripts/run_preprocess_all.sh" 1
