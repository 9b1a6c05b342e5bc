# On a full disk no clip stays, and with room again the same command does it all.
i3d synth v --classes 2 --videos-per-class 8 --frames 6 --size 48 --quiet >/dev/null
i3d annotate folder v a.json --split v/split.csv --quiet >/dev/null
mkdir small
mount -t tmpfs -o size=1m tmpfs small 2>/dev/null || skip 'only root can mount a small disk'
trap 'umount small' EXIT
preprocess="--source video --size 0 --video-path v --annotation-path a.json --resize 0 --quiet
    --test-sample-duration 8 --spatial-size 32 --batch-size 4 --dataset s --subset training"
fails 1 'No space left' i3d preprocess $preprocess --root small
same '' "$(find small -type f)"
mount -o remount,size=100m small
i3d preprocess $preprocess --root small >stdout
i3d preprocess $preprocess --root large >stdout
diff -r large small
