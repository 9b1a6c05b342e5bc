# --compat mindspore: the original's network, numbers and clips, together and each alone; what was
# trained so is run so without being told.

i3d synth v --classes 2 --videos-per-class 4 --frames 10 --size 48 --quiet >/dev/null
i3d annotate folder v a.json --split v/split.csv --quiet >/dev/null
data="--source video --size 0 --video-path v --annotation-path a.json --threads 1"
options="$data --train-sample-duration 8 --spatial-size 32 --batch-size 2 --num-epochs 1
    --optimizer sgd --lr 1e-4"
i3d train $options --compat mindspore --save-dir compat --quiet >/dev/null

# Each switch by its own name; the bits are the same.
i3d train $options --head max --bn-epsilon 1e-5 --bn-momentum 0.9 --no-freeze-bn --logits-init he \
    --resize 0 --bgr --crop-per-frame --flip-keeps-sign --temporal-off-by-one --save-dir alone \
    --quiet >/dev/null
cmp compat/checkpoints/i3d-1_2.ckpt alone/checkpoints/i3d-1_2.ckpt
# And each of them changes something.
for without in '--head avg' '--bn-epsilon 1e-3' '--bn-momentum 0.1' '--logits-init normal' \
    '--resize 40'; do
    i3d train $options --compat mindspore $without --save-dir other --quiet >/dev/null
    ! cmp -s compat/checkpoints/i3d-1_2.ckpt other/checkpoints/i3d-1_2.ckpt
    rm -r other
done

# accuracy CHECKPOINT OPTIONS: the scores of the evaluation.
scores() {
    i3d eval $data --rgb "$@" --save-dir result --quiet >/dev/null
    cut -d , -f 5- result/rgb/videos.csv
}
i3d inspect compat/checkpoints/best.ckpt | grep -q 'i3d.head'
told=$(scores compat/checkpoints/best.ckpt)
same "$told" "$(scores compat/checkpoints/best.ckpt --compat mindspore)"
# A checkpoint of the original records nothing: --compat tells how to run it.
i3d convert compat/checkpoints/best.ckpt bare.safetensors --quiet >/dev/null
size="--test-sample-duration 8 --spatial-size 32"
same "$told" "$(scores bare.safetensors $size --compat mindspore)"
[ "$told" != "$(scores bare.safetensors $size)" ]

# A resumed run stays what it was.
i3d train --resume compat --num-epochs 2 --quiet >/dev/null
i3d train $options --num-epochs 2 --compat mindspore --save-dir whole --quiet >/dev/null
cmp compat/checkpoints/i3d-2_2.ckpt whole/checkpoints/i3d-2_2.ckpt
grep -q '"compat": "mindspore"' compat/config.json
# The record is a config for another run.
i3d train --config whole/config.json --save-dir again --quiet >/dev/null
cmp whole/checkpoints/i3d-2_2.ckpt again/checkpoints/i3d-2_2.ckpt
