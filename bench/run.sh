#!/bin/sh
# Every bench in turn: bench/run.sh BUILD. Each sets ours beside a peer in the same run and prints
# ratios; a JSON of each goes to BUILD/bench. Ends with 1 if one fell below its bar.
set -u
build=$1
here=$(dirname "$0")
python=/usr/bin/python3 # Debian's, which has PyTorch and OpenCV
result=0

mkdir -p "$build/bench"
bench() {
    name=$1
    shift
    echo "== $name"
    "$python" "$here/$name.py" "$@" --json "$build/bench/$name.json" || result=1
}
bench engine "$build"
bench flow "$build/src/libi3d.so"
bench flow_chain "$build/cli/i3d"
bench stores "$build/cli/i3d" "$build/src/libi3d.so"
bench weights "$build"
exit "$result"
