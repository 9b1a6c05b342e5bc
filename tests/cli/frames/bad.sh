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

fails 1 'cut short: only' i3d frames videos rgb
for bad in cut.mp4 text.avi empty.mkv zero.avi; do
    grep -q "a/$bad" stderr
    grep -q "^\"videos/a/$bad\",\".*[a-z].*\"$" rgb/failures.csv
done
same 5 "$(wc -l <rgb/failures.csv)"
same 'one tiny' "$(ls -A rgb/a | xargs)"
same 1 "$(cat rgb/a/one/n_frames)"
same 3 "$(cat rgb/a/tiny/n_frames)"

rm videos/a/cut.mp4 videos/a/text.avi videos/a/empty.mkv videos/a/zero.avi
i3d frames videos rgb
[ ! -e rgb/failures.csv ]
