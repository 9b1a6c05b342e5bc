# Ctrl-C is heard while the frames of a long video are counted.
. "$I3D_SOURCE/tests/cli/long_video.sh"
make_long_video videos/a/long.avi
interrupt_while_reading videos/a/long.avi annotate folder videos a.json
grep -q 'stopped on request' stderr
[ ! -e a.json ]
