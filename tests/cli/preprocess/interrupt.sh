# Ctrl-C is heard while the frames of a long video are counted, and nothing is left.
. "$I3D_SOURCE/tests/cli/long_video.sh"
make_long_video videos/a/long.avi
echo '{"labels": ["a"], "database": {"long": {"subset": "validation", "annotations": {"label": "a"}}}}' \
    >a.json
interrupt_while_reading videos/a/long.avi preprocess --source video --video-path videos \
    --annotation-path a.json --dataset s --root out --test-sample-duration 8 --spatial-size 32
grep -q 'stopped on request' stderr
same '' "$(find out -type f)"
