# A disk that fills up: the checkpoint that does not fit is not there by half, those before are, and
# the run goes on when there is space.
[ "$(id -u)" = 0 ] || skip "only root may mount a small disk"
mkdir small
mount -t tmpfs -o size=130m none small 2>/dev/null || skip "no file system can be mounted here"
trap 'umount small' EXIT

i3d synth v --classes 2 --videos-per-class 4 --frames 10 --size 48 --quiet >/dev/null
i3d annotate folder v a.json --split v/split.csv --quiet >/dev/null
options="--source video --size 0 --video-path v --annotation-path a.json --threads 1 --resize 0
    --train-sample-duration 8 --spatial-size 32 --batch-size 4 --num-epochs 2 --optimizer sgd
    --no-eval"
fails 1 "No space left on device; free some space" i3d train $options --save-dir small/run
same "i3d-1_1.ckpt" "$(ls small/run/checkpoints)"
mount -o remount,size=400m none small
i3d train --resume small/run --quiet >/dev/null
i3d train $options --save-dir whole --quiet >/dev/null
cmp small/run/checkpoints/i3d-2_1.ckpt whole/checkpoints/i3d-2_1.ckpt
