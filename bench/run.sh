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
# The program of v0.1.0, built once, for what is compared with it; nothing where its commit is not known.
before() {
    old=$build/bench/v0.1.0
    if [ ! -x "$old/build/cli/i3d" ]; then
        git -C "$here" rev-parse -q --verify 08fcf95^{commit} >/dev/null || return 0
        mkdir -p "$old"
        git -C "$here/.." archive 08fcf95 | tar x -C "$old" || return 0
        cmake -S "$old" -B "$old/build" -DI3D_TESTS=OFF >"$old/log" 2>&1 &&
            cmake --build "$old/build" -j >>"$old/log" 2>&1 || return 0
    fi
    printf %s "--before=$old/build/cli/i3d"
}

bench engine "$build"
bench busy "$build"
bench flow "$build/src/libi3d.so"
bench flow_chain "$build/cli/i3d"
bench stores "$build/cli/i3d" "$build/src/libi3d.so"
bench weights "$build"
bench decoded "$build" $(before)
exit "$result"
