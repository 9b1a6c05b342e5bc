# The chain preprocess, infer, postprocess gives the tables of eval, byte for byte: rgb, flow and
# both, from every kind of file, with several clips a video and a batch that does not divide them.

i3d synth v --classes 3 --videos-per-class 5 --frames 12 --size 48 --quiet >/dev/null
i3d prepare mine v data --split v/split.csv --size 0 --quiet >/dev/null
for mode in rgb flow; do
    i3d train --mode $mode --dataset mine --video-path data/$mode/mine/jpg --save-dir $mode \
        --annotation-path data/$mode/mine/annotation/mine_1.json --resize 36 --head max \
        --train-sample-duration 8 --spatial-size 32 --batch-size 6 --num-epochs 2 --threads 1 \
        --bn-epsilon 2e-3 --optimizer sgd --quiet >/dev/null
    mv $mode/checkpoints/best.ckpt $mode.ckpt
    rm -r $mode
done
i3d eval --rgb rgb.ckpt --flow flow.ckpt --subset training --num-val-samples 2 --threads 1 \
    --video-path data/rgb/mine/jpg --video-path-joint-flow data/flow/mine/jpg \
    --annotation-path data/rgb/mine/annotation/mine_1.json --save-dir eval --quiet >said

i3d export rgb.ckpt rgb.onnx --no-verify --quiet >/dev/null
i3d export flow.ckpt flow.mindir --no-verify --quiet >/dev/null
i3d export flow.ckpt folded.onnx --no-verify --fold-bn --quiet >/dev/null

# 12 videos, 24 clips, 5 files of 5. The form of the clips and of the network is in its file.
for model in rgb.onnx flow.mindir; do
    mode=${model%.*}
    i3d preprocess --dataset mine --mode $mode --checkpoint-path $model --batch-size 5 \
        --video-path data/$mode/mine/jpg --subset training --num-val-samples 2 \
        --annotation-path data/$mode/mine/annotation/mine_1.json --quiet >stdout
    same "files: 5 clips: 24 frames: 8 size: 32" "$(tr '\n' ' ' <stdout | sed 's/ $//')"
    i3d infer --model $model --mode $mode --batch-size 5 --threads 1 \
        preprocess_Result/data/mine/$mode --quiet >stdout
    grep -q '^head: max$' stdout
    grep -q '^bn epsilon: 0.002$' stdout
    grep -q '^infer count: 5$' stdout
done
for mode in rgb flow joint; do
    i3d postprocess --dataset mine --mode $mode --save-dir chain --quiet >stdout
    grep -q '^videos: 12$' stdout
    same "$(sed -n "s/^$mode accuracy: //p" said)" "$(sed -n 's/^accuracy: //p' stdout)"
    diff -r eval/$mode chain/$mode
done

# A checkpoint gives the bytes of its exports; folded norms round otherwise, but not more.
mv result_Files exported
for model in rgb.ckpt flow.ckpt; do
    i3d infer --model $model --mode ${model%.*} --batch-size 5 --threads 1 --quiet \
        preprocess_Result/data/mine/${model%.*} >/dev/null
done
diff -r exported result_Files
i3d infer --model folded.onnx --mode flow --batch-size 5 --threads 1 --quiet \
    preprocess_Result/data/mine/flow >/dev/null
i3d postprocess --dataset mine --mode flow --save-dir folded --quiet >/dev/null
cut -d , -f 1-5 eval/flow/videos.csv >wanted
cut -d , -f 1-5 folded/flow/videos.csv | cmp wanted -

# Softmax and weights as in eval.
weights="--fusion softmax --rgb-weight 2 --flow-weight .5"
i3d eval --rgb rgb.ckpt --flow flow.ckpt --subset training --num-val-samples 2 --threads 1 $weights \
    --video-path data/rgb/mine/jpg --video-path-joint-flow data/flow/mine/jpg \
    --annotation-path data/rgb/mine/annotation/mine_1.json --save-dir eval2 --quiet >/dev/null
mv exported/*flow* result_Files
i3d postprocess --dataset mine --mode joint $weights --save-dir chain2 --json >stdout
grep -q '"right": [0-9]*,$' stdout
diff -r eval2/joint chain2/joint
