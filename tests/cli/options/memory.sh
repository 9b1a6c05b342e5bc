# Sizes beyond what there is are refused with the way out, before anything is written; a file that
# says it is large too.
i3d synth v --classes 2 --videos-per-class 4 --frames 10 --size 48 --quiet >/dev/null
i3d annotate folder v a.json --split v/split.csv --quiet >/dev/null
data="--source video --size 0 --video-path v --annotation-path a.json --resize 0"
i3d train $data --threads 1 --train-sample-duration 8 --spatial-size 32 --batch-size 2 \
    --num-epochs 1 --optimizer sgd --save-dir run --quiet >/dev/null
best=run/checkpoints/best.ckpt
fails 1 'are left; ask for less by --spatial-size' \
    i3d predict v/up/up_g01_c01.avi --rgb $best --spatial-size 4000 --size 4000 \
    --test-sample-duration 64
# Nor where there is room for few threads.
(ulimit -v 1000000 && exec "$I3D" predict v/up/up_g01_c01.avi --rgb $best --threads 1000 --size 0) \
    >out 2>&1 || [ $? = 1 ]
grep -q '^i3d: \|^ *classes:' out
# The whole is compared, before any of it is taken: nothing comes near the limit of 600 MB.
for engine in cpu reference; do
    (ulimit -v 600000 && exec "$I3D" predict v/up/up_g01_c01.avi --rgb $best --threads 1 --size 0 \
        --engine $engine --spatial-size 16384 --test-sample-duration 64) >out 2>&1 && exit 1
    grep -q 'i3d: no memory for [0-9.e+]* GB: .* are left; ask for less by --spatial-size' out ||
        grep -q 'no engine' out
done
truncate -s 1000G large.pt
fails 1 "cannot read 'large.pt': no memory for 1074 GB" i3d inspect large.pt
# Little address space: a message, never a crash.
for kilobytes in 300000 350000 400000 450000 500000; do
    code=0
    (ulimit -v $kilobytes && exec "$I3D" predict v/up/up_g01_c01.avi --rgb $best --threads 1 --size 0) \
        >out 2>&1 || code=$?
    [ $code = 0 ] || [ $code = 1 ] || [ $code = 127 ]
    [ -s out ]
done
