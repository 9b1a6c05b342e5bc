#!/bin/sh
# Runs one case in a fresh empty folder, which goes afterwards: run.sh PROGRAM CASE.sh
# The case gets the program's path as $I3D, the source root as $I3D_SOURCE, the shared data folder
# as $I3D_SHARED_DATA (it may not exist) and the functions below. It stops at the first command
# that fails; exit 77 says that it was skipped, with the reason printed.
set -u
I3D=$1
I3D_SOURCE=$(cd "$(dirname "$0")/../.." && pwd)
I3D_SHARED_DATA=$I3D_SOURCE/../shared/data
export I3D I3D_SOURCE I3D_SHARED_DATA
case=$(realpath "$2")
[ -x "$I3D" ] || {
    echo "there is no program '$I3D'" >&2
    exit 1
}

i3d() {
    "$I3D" "$@"
}

# fails STATUS WORDS COMMAND...: the command ends with STATUS and says WORDS on stderr.
fails() {
    wanted=$1 words=$2
    shift 2
    got=0
    "$@" >stdout 2>stderr || got=$?
    if [ "$got" != "$wanted" ]; then
        echo "exit status $got, not $wanted: $*" >&2
        cat stderr >&2
        return 1
    fi
    grep -qF -- "$words" stderr && return 0
    echo "'$words' is not on stderr: $*" >&2
    cat stderr >&2
    return 1
}

# same WANTED GOT: two texts are equal.
same() {
    [ "$1" = "$2" ] && return 0
    printf 'wanted: %s\ngot:    %s\n' "$1" "$2" >&2
    return 1
}

# skip REASON
skip() {
    echo "skipped: $*"
    exit 77
}

folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
cd "$folder" || exit 1
(
    set -eu
    . "$case"
)
