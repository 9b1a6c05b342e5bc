# Sourced by the original's scripts: `i3d` is the program built here, or else the one in PATH.
built=$(dirname "$0")/../build/release/cli/i3d

# Its path, absolute: other hosts are told it too.
find_i3d() {
    unset -f i3d
    if [ -x "$built" ]; then
        echo "$(cd "$(dirname "$built")" && pwd)/i3d"
    elif ! command -v i3d; then
        echo "$(basename "$0"): i3d is neither built (make) nor in PATH" >&2
        return 1
    fi
}

i3d() {
    found=$(find_i3d) && "$found" "$@"
}

# usage COUNT WORDS GIVEN: ends with 2 unless so many arguments were given.
usage() {
    [ "$3" = "$1" ] && return
    echo "usage: $(basename "$0") $2" >&2
    exit 2
}
