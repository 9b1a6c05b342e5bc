# Functions for cases that stop the program while it reads a video: . "$I3D_SOURCE/tests/cli/long_video.sh"

# make_long_video FILE.avi: thousands of large grey frames. Counting them takes long, and whoever
# reads to the end finds that the file is cut short and says so.
make_long_video() {
    command -v ffmpeg >/dev/null || skip 'there is no ffmpeg'
    mkdir -p "$(dirname "$1")"
    ffmpeg -v error -f lavfi -i color=gray:size=3840x2160:rate=25 -t 2 -c:v mpeg4 part.avi
    ffmpeg -v error -stream_loop 19 -i part.avi -c copy whole.avi
    head -c $(($(wc -c <whole.avi) * 3 / 4)) whole.avi >"$1"
    rm part.avi whole.avi
}

# interrupt_while_reading FILE ARGUMENTS...: runs i3d and presses Ctrl-C as soon as it has the file
# open. It must end as failed; stderr is kept.
interrupt_while_reading() {
    file=$(realpath "$1")
    shift
    "$I3D" "$@" >stdout 2>stderr &
    run=$!
    while ! readlink /proc/$run/fd/* 2>/dev/null | grep -qxF "$file" && [ -e /proc/$run/exe ]; do
        sleep .01
    done
    kill -INT $run
    code=0
    wait $run || code=$?
    same 1 $code
}
