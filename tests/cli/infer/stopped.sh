# A run that is stopped or killed goes on, and no result is there until all are.

i3d synth v --classes 2 --videos-per-class 4 --frames 40 --size 48 --quiet >/dev/null
i3d annotate folder v a.json --split v/split.csv --quiet >/dev/null
data="--source video --size 0 --video-path v --annotation-path a.json --resize 0 --quiet"
i3d train $data --train-sample-duration 32 --spatial-size 48 --save-dir run --num-epochs 1 \
    --threads 1 --no-eval --optimizer sgd >/dev/null
mv run/checkpoints/i3d-1_1.ckpt net.ckpt
i3d preprocess $data --dataset s --checkpoint-path net.ckpt --batch-size 1 --num-val-samples 9 \
    >/dev/null
infer="--model net.ckpt --batch-size 1 --threads 1 preprocess_Result/data/s/rgb"

wait_for() {
    while [ ! -e "result_Files/.rgb/s_bsrgb_$1_0.bin" ]; do sleep .005; done
}
# Files are taken in the order of their names: 1, 10, 11, ...
"$I3D" infer $infer >stdout 2>stderr &
wait_for 1
kill -KILL $!
wait $! || true
same '' "$(ls result_Files)"
"$I3D" infer $infer >stdout 2>stderr &
wait_for 12
kill -TERM $!
status=0
wait $! || status=$?
same 1 $status
grep -q 'run the same command again to go on' stderr
same '' "$(ls result_Files)"
i3d infer $infer --quiet >stdout
before=$(sed -n 's/^finished before: //p' stdout)
[ "$before" -ge 4 ] && [ "$before" -lt 36 ]
grep -q "^NN inference cost average time: [0-9.e+]* ms of infer_count $((36 - before))\$" \
    time_Result/test_perform_static.txt
same 36 "$(ls result_Files | wc -l)"
[ ! -e result_Files/.rgb ]

mv result_Files once
i3d infer $infer --quiet >stdout
grep -q '^finished before: 0$' stdout
diff -r once result_Files
