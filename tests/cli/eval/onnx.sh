# Graphs of .onnx files in ONNX Runtime say what the network says; without it the way out is said.

i3d synth v --classes 2 --videos-per-class 4 --frames 10 --size 48 --quiet >/dev/null
i3d annotate folder v a.json --split v/split.csv --quiet >/dev/null
data="--source video --size 0 --video-path v --annotation-path a.json --threads 1"
i3d train $data --save-dir run --train-sample-duration 8 --spatial-size 32 --resize 40 --bgr \
    --batch-size 4 --num-epochs 1 --optimizer sgd --no-eval --quiet >/dev/null
mv run/checkpoints/i3d-1_1.ckpt a.ckpt
i3d export a.ckpt a.onnx --batch-size 3 --quiet >/dev/null

fails 2 "leave --engine reference out" i3d eval $data --onnx --rgb a.onnx --engine reference
fails 2 "leave --head out" i3d eval $data --onnx --rgb a.onnx --head avg
fails 2 "leave --checkpoints out" i3d eval $data --onnx --checkpoints run/checkpoints
if ! i3d doctor | grep -q 'onnxruntime: graphs'; then
    i3d doctor | grep -q 'onnxruntime: cannot run here: .*scripts/install_onnxruntime.sh'
    fails 1 "scripts/install_onnxruntime.sh" i3d eval $data --onnx --rgb a.onnx
    fails 1 "'a.onnx'" i3d eval $data --onnx --rgb a.onnx
    skip 'ONNX Runtime is not in this build: only its refusal was tested'
fi

# Four videos in batches of 3; the resize and the order of the colours are recorded in the file.
i3d eval $data --rgb a.ckpt --save-dir engine --quiet >/dev/null
i3d eval $data --onnx --rgb a.onnx --save-dir graph --quiet >stdout
grep -q '^rgb videos: 4$' stdout
same "$(cut -d, -f 1-5 engine/rgb/videos.csv)" "$(cut -d, -f 1-5 graph/rgb/videos.csv)"
paste -d, engine/rgb/videos.csv graph/rgb/videos.csv | awk -F, 'NR > 1 {
    d = $6 - $14; if (d < -1e-4 || d > 1e-4) { print; exit 1 } }'
i3d predict v/up/up_g02_c01.avi --size 0 --rgb a.ckpt --quiet >stdout
i3d predict v/up/up_g02_c01.avi --size 0 --rgb a.onnx --engine onnxruntime-cpu --quiet >stdout2
same "$(sed 's/\(\.[0-9][0-9][0-9]\)[0-9]/\1/' stdout)" "$(sed 's/\(\.[0-9][0-9][0-9]\)[0-9]/\1/' stdout2)"

head -c 100000 a.onnx >cut.onnx
fails 1 "cannot run 'cut.onnx': ONNX Runtime says" i3d eval $data --onnx --rgb cut.onnx
fails 1 "cannot run 'none.onnx': ONNX Runtime says" i3d eval $data --onnx --rgb none.onnx
fails 1 "'a.onnx': it has 3 input channels" i3d eval $data --onnx --flow a.onnx
fails 1 "its clips have 8 frames, not 16" i3d eval $data --onnx --rgb a.onnx --test-sample-duration 16
