# Each failure names what is wrong and the way out, and leaves no checkpoint.

i3d synth v --classes 2 --videos-per-class 4 --frames 10 --size 48 --quiet >/dev/null
i3d annotate folder v a.json --split v/split.csv --quiet >/dev/null
options="--source video --size 0 --video-path v --annotation-path a.json --resize 0 --threads 1
    --train-sample-duration 8 --spatial-size 32 --batch-size 4 --num-epochs 1 --optimizer sgd"
train() {
    "$I3D" train $options --save-dir run "$@"
}

fails 2 "--annotation-path" i3d train
fails 1 "cannot open 'nothing.json'" train --annotation-path nothing.json
fails 1 "nowhere" train --video-path nowhere
fails 2 "--spatial-size is a whole number" train --spatial-size 16
fails 2 "--train-sample-duration is a whole number" train --train-sample-duration 4
fails 2 "--optimizer is one of" train --optimizer lion
fails 1 "no engine 'abacus'" train --engine abacus
fails 1 "--num-classes 1 is too few" train --num-classes 1
fails 1 "cannot start from 'nothing.ckpt'" train --checkpoint-path nothing.ckpt

# A loss that runs away.
fails 1 "not finite" train --lr 1e6 --weight-decay 1e6 --num-epochs 9
fails 1 "smaller learning rate" train --lr 1e6 --weight-decay 1e6 --num-epochs 9 --save-dir other
rm -rf run other

train --quiet >/dev/null
fails 1 "no parameter begins with the prefix 'Mixed_6'" \
    train --checkpoint-path run/checkpoints/best.ckpt --finetune-prefixes Mixed_6 --save-dir other
fails 1 "it has 3 input channels, but --mode flow has 2" \
    train --mode flow --checkpoint-path run/checkpoints/best.ckpt --save-dir other
head -c 1000000 run/checkpoints/best.ckpt >cut.ckpt
fails 1 "cut.ckpt" train --checkpoint-path cut.ckpt --save-dir other
[ -z "$(find other -name '*.ckpt' 2>/dev/null)" ]

# Two runs in one folder.
"$I3D" train $options --save-dir both --num-epochs 1000 --no-eval --quiet >/dev/null 2>&1 &
until [ -e both/config.json ]; do sleep .1; done
fails 1 "another run is writing to 'both'" train --save-dir both
kill -KILL $!
wait $! 2>/dev/null || true

mkdir locked
chmod 555 locked
if [ "$(id -u)" != 0 ]; then
    fails 1 "locked" train --save-dir locked/run
fi
