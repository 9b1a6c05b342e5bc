# Models and clips that do not belong together are refused before anything runs.

i3d synth v --classes 2 --videos-per-class 4 --frames 10 --size 48 --quiet >/dev/null
i3d annotate folder v a.json --split v/split.csv --quiet >/dev/null
data="--source video --size 0 --video-path v --annotation-path a.json --resize 0 --quiet"
i3d train $data --train-sample-duration 8 --spatial-size 32 --save-dir run --num-epochs 1 \
    --threads 1 --no-eval --optimizer sgd >/dev/null
mv run/checkpoints/i3d-1_1.ckpt net.ckpt
i3d preprocess $data --dataset s --checkpoint-path net.ckpt --batch-size 1 >/dev/null
clips=preprocess_Result/data/s/rgb
infer="--model net.ckpt --batch-size 1 --threads 1"

fails 2 "infer" i3d infer --model net.ckpt
fails 2 "--model says which network to run" i3d infer $clips
fails 2 "'joint'" i3d infer $infer --mode joint $clips
fails 1 "it has 3 input channels, but the flow stream has 2" i3d infer $infer --mode flow $clips
fails 1 "cannot open 'none.onnx'" i3d infer --model none.onnx $clips
fails 1 "cannot read 'a.json'" i3d infer --model a.json $clips
fails 1 "not the 786432 of this network's batch" i3d infer --model net.ckpt $clips
fails 1 "not the 196608 of this network's batch" i3d infer $infer --test-sample-duration 16 $clips
mkdir empty
fails 1 "holds no .bin" i3d infer $infer empty
fails 1 "none" i3d infer $infer none
head -c 1000 $clips/s_bsrgb_3.bin >empty/s_bsrgb_3.bin
fails 1 "has 1000 bytes" i3d infer $infer empty
[ ! -e result_Files ] && [ ! -e time_Result ]
