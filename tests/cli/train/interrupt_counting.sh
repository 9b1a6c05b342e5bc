# Ctrl-C is heard while the frames of a long video are counted: before the first step.
. "$I3D_SOURCE/tests/cli/long_video.sh"
make_long_video videos/a/long.avi
echo '{"labels": ["a"], "database": {"long": {"subset": "training", "annotations": {"label": "a"}}}}' \
    >a.json
interrupt_while_reading videos/a/long.avi train --source video --video-path videos \
    --annotation-path a.json --save-dir run --train-sample-duration 8 --spatial-size 32 \
    --num-epochs 1 --no-eval --threads 1
grep -q 'stopped as asked at epoch 1 step 0' stderr
