# The first Ctrl-C is heard while a long video is counted, decoded or searched, and while a pipe that
# nobody writes is waited for.
i3d doctor | grep -c '^video: FFmpeg\|^image: TurboJPEG' | grep -qx 2 || skip 'built without FFmpeg or TurboJPEG'
command -v ffmpeg >/dev/null || skip 'ffmpeg is not installed'
mkdir -p v/a
ffmpeg -v error -nostdin -f lavfi -i testsrc=size=160x120:rate=25 -frames:v 400 -c:v mpeg4 short.avi
for i in $(seq 100); do echo "file $PWD/short.avi"; done >list
ffmpeg -v error -nostdin -f concat -safe 0 -i list -c copy v/a/long.avi # 40,000 frames
i3d synth s --classes 2 --videos-per-class 2 --frames 10 --size 48 --quiet >report
mkfifo pipe

# stopped ARGUMENTS: a second after it began, one signal ends it within two seconds.
stopped() {
    "$I3D" "$@" >out 2>&1 &
    run=$!
    sleep 1
    kill -0 $run
    kill -INT $run
    for i in $(seq 40); do
        kill -0 $run 2>/dev/null || break
        sleep .05
    done
    ! kill -9 $run 2>/dev/null
    code=0
    wait $run || code=$?
    same 1 "$code"
    grep -q 'stopped on request' out
}
stopped annotate folder v a.json
[ ! -e a.json ]
stopped frames v rgb --size 0 --store mkv
same '' "$(find rgb -name '*.mkv')"
stopped inspect pipe
stopped annotate folder s b.json --split pipe
