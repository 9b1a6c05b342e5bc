# Bad files never stop good ones; each is named with its reason, and nothing half-made is left.
i3d doctor | grep -c '^video: FFmpeg\|^image: TurboJPEG' | grep -qx 2 || skip 'built without FFmpeg or TurboJPEG'
command -v ffmpeg >/dev/null || skip 'ffmpeg is not installed'
mkdir -p videos/a
make() {
    ffmpeg -v error -nostdin -f lavfi -i testsrc=size=64x48:rate=25 "$@"
}
make -t 1 -c:v libx264 -movflags faststart whole.mp4
head -c $(($(wc -c <whole.mp4) / 2)) whole.mp4 >videos/a/cut.mp4
echo 'this is a text' >videos/a/text.avi
: >videos/a/empty.mkv
make -t 0 -c:v mpeg4 videos/a/zero.avi
make -frames:v 1 videos/a/one.avi
make -frames:v 3 -vf scale=1:1 -c:v mjpeg videos/a/tiny.avi
mkfifo videos/a/pipe.avi
# A broadcast that begins between two key frames: its size is nowhere.
make -t 1 -c:v libx264 whole.ts
{ head -c 564 whole.ts && tail -c +3761 whole.ts; } >videos/a/late.ts

fails 1 'cut short: only' timeout 60 "$I3D" frames videos rgb
tail -1 stderr | grep -qF 'i3d: 6 of 8 videos were left out; mend what failures.csv says of them'
for bad in cut.mp4 text.avi empty.mkv zero.avi pipe.avi late.ts; do
    grep -q "a/$bad" stderr
    grep -q "^\"videos/a/$bad\",\".*[a-z].*\"$" rgb/failures.csv
done
grep -q "cannot read 'videos/a/pipe.avi': it is a pipe, not a file" stderr
grep -q 'late.ts. does not say how large its frames are' stderr
same 7 "$(wc -l <rgb/failures.csv)"
same 'one tiny' "$(ls -A rgb/a | xargs)"
same 1 "$(cat rgb/a/one/n_frames)"
same 3 "$(cat rgb/a/tiny/n_frames)"

(cd videos/a && rm cut.mp4 text.avi empty.mkv zero.avi pipe.avi late.ts)
i3d frames videos rgb
[ ! -e rgb/failures.csv ]
