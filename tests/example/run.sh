#!/bin/sh
# The example programs do what they say, on videos made here: run.sh I3D EXAMPLES
set -eu
i3d=$1 examples=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"$i3d" doctor >doctor || {
    echo "skipped: this program cannot read videos or frames"
    exit 77
}
"$i3d" synth videos --classes 2 --videos-per-class 4 --frames 16 --size 64 >log
"$i3d" frames videos jpg --size 64 >log
"$i3d" annotate folder jpg split.json --split videos/split.csv >log

# expect PATTERN FILE: every part of the pattern is in the file.
expect() {
    grep -Eq "$1" "$2" && return 0
    echo "not in $2: $1" >&2
    cat "$2" >&2
    return 1
}
# refuses STATUS WORDS COMMAND...
refuses() {
    wanted=$1 words=$2 got=0
    shift 2
    "$@" >out 2>&1 || got=$?
    expect "$words" out
    [ "$got" = "$wanted" ] || {
        echo "exit status $got, not $wanted" >&2
        return 1
    }
}

# What a scene that moves up looks like: 16 lines, the first still, the others upwards.
"$examples/flow" videos/up/up_g01_c01.avi >up
[ "$(wc -l <up)" = 16 ]
awk 'NR == 1 && ($2 != 0 || $3 != 0) || NR > 1 && $3 > -1 { exit 1 }' up
"$examples/flow" videos/down/down_g01_c01.avi >down
awk 'NR > 1 && $3 < 1 { exit 1 }' down
refuses 1 "^flow: .*'nowhere.avi'" "$examples/flow" nowhere.avi
refuses 2 '^usage: flow VIDEO' "$examples/flow"

"$examples/train" split.json jpg run >trained
expect '^2 steps, last loss [0-9.]+, best top-1 [01]\.' trained
[ -s run/checkpoints/best.ckpt ]
refuses 1 "^train: .*'run" "$examples/train" split.json jpg run
refuses 2 '^usage: train' "$examples/train"

# The answer of `i3d predict`, of a video much longer than a clip.
"$i3d" synth long --classes 2 --videos-per-class 2 --frames 60 --size 64 >log
for video in videos/up/up_g02_c01.avi long/down/down_g01_c01.avi; do
    "$examples/classify" $video run/checkpoints/best.ckpt >named
    expect "^$video: (up|down) \(class [01]\) with probability [01]\.[0-9]{4}$" named
    "$i3d" predict $video --rgb run/checkpoints/best.ckpt >predicted
    awk '/^ +[01]\.[0-9]+ / { print $2, $1; exit }' predicted >best
    awk '{ print $2, $NF }' named | diff best -
done
refuses 1 "^classify: .*'split.json'" "$examples/classify" videos/up/up_g02_c01.avi split.json
refuses 2 '^usage: classify' "$examples/classify"
