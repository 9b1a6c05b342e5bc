# What cannot be preprocessed is said, and nothing is left.

i3d synth v --classes 2 --videos-per-class 4 --frames 6 --size 48 --quiet >/dev/null
i3d annotate folder v a.json --split v/split.csv --quiet >/dev/null
data="--source video --size 0 --video-path v --annotation-path a.json --resize 0 --quiet
    --test-sample-duration 8 --spatial-size 32"

fails 2 "--video-path says where" i3d preprocess
fails 2 "'joint'" i3d preprocess $data --mode joint
fails 2 "cannot name files" i3d preprocess $data --dataset ../s
fails 1 "cannot open 'none.onnx'" i3d preprocess $data --checkpoint-path none.onnx
fails 1 "none.json" i3d preprocess --video-path v --annotation-path none.json
same 'a.json stderr stdout v ' "$(ls | tr '\n' ' ')"

# The clips of the validation split, by default; the same bytes for any number of workers.
i3d preprocess $data --dataset s --root one --num-workers 1 >stdout
same "files: 1 clips: 4 frames: 8 size: 32 " "$(tr '\n' ' ' <stdout)"
i3d preprocess $data --dataset s --root three --num-workers 3 >stdout
diff -r one three
same $((8 * 3 * 8 * 32 * 32 * 4)) "$(wc -c <one/preprocess_Result/data/s/rgb/s_bsrgb_1.bin)"

# What is there stays, and so does what stands in the way.
fails 1 "is there already" i3d preprocess $data --dataset s --root one
diff -r one three
mkdir -p two/preprocess_Result
printf x >two/preprocess_Result/data
fails 1 "two/preprocess_Result/data" i3d preprocess $data --dataset s --root two
same x "$(cat two/preprocess_Result/data)"

# A network of the other stream; a file that is no network.
i3d train --mode flow $data --train-sample-duration 8 --save-dir run --num-epochs 1 --no-eval \
    --threads 1 --optimizer sgd >/dev/null
fails 1 "it has 2 input channels, but the rgb stream has 3" \
    i3d preprocess $data --dataset s --root four --checkpoint-path run/checkpoints/i3d-1_1.ckpt
fails 1 "a.json" i3d preprocess $data --dataset s --root four --checkpoint-path a.json
[ ! -e four ]
