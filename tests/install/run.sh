#!/bin/sh
# What `make install` leaves is whole: the program, its manual and completion, and a library that an
# example finds through pkg-config, shared and static: run.sh BUILD SOURCE LIBDIR COMPILER...
set -eu
build=$1 source=$2 libdir=$3
shift 3
prefix=$(mktemp -d --suffix=.so) # a name that is not to be taken for the library's
trap 'rm -rf "$prefix"' EXIT
cmake --install "$build" --prefix "$prefix" >/dev/null

[ "$("$prefix/bin/i3d" --version)" = "$("$build/cli/i3d" --version)" ]
for file in share/man/man1/i3d.1 share/man/man1/i3d-doctor.1 share/zsh/site-functions/_i3d \
    share/bash-completion/completions/i3d share/fish/vendor_completions.d/i3d.fish; do
    [ -s "$prefix/$file" ] || {
        echo "not installed: $file" >&2
        exit 1
    }
done
for header in "$source"/include/i3d/*.h; do
    cmp "$header" "$prefix/include/i3d/$(basename "$header")"
done

# A plug-in beside the library is found from wherever it was installed; one in the folder of work is
# not.
mkdir -p "$prefix/$libdir/i3d" "$prefix/work"
cp "$build/tests/unit/plugin/plugins/i3d-plugged.so" "$prefix/work"
(cd "$prefix/work" && ! "$prefix/bin/i3d" doctor | grep -q '^  *plugged: ')
mv "$prefix/work/i3d-plugged.so" "$prefix/$libdir/i3d"
(cd / && "$prefix/bin/i3d" doctor | grep -q '^  *plugged: ')

export PKG_CONFIG_PATH="$prefix/$libdir/pkgconfig"
flags() {
    pkg-config "$@" i3d
}
case $(pkg-config --variable=libdir i3d) in
"$prefix"/*) ;;
*)
    echo "pkg-config looks for the library elsewhere than in '$prefix'" >&2
    exit 1
    ;;
esac

# check PROGRAM: runs, and fails with the library's sentence.
check() {
    if "$1" /nowhere.avi /nowhere.ckpt 2>"$prefix/said"; then
        echo "$1 classified a video that is not there" >&2
        exit 1
    fi
    grep -q "^classify: .*'/nowhere.ckpt'" "$prefix/said" || {
        cat "$prefix/said" >&2
        exit 1
    }
}

# shellcheck disable=SC2046 # flags are meant to be split
"$@" $(flags --cflags) "$source/examples/classify.c" -o "$prefix/shared" \
    $(flags --libs) "-Wl,-rpath,$prefix/$libdir"
check "$prefix/shared"

rm "$prefix/$libdir"/libi3d.so*
# shellcheck disable=SC2046
"$@" $(flags --cflags) "$source/examples/classify.c" -o "$prefix/static" \
    $(flags --static --libs)
check "$prefix/static"
