#!/bin/sh
# Puts ONNX Runtime where CMake finds it: install_onnxruntime.sh [PREFIX [PACKAGE]]
# Debian 13 has it: apt-get install libonnxruntime-dev. Debian 12 has not: here the headers come out
# of Debian 13's package, which is fetched beside apt's own sources and never installed, and the
# library out of PyPI's PACKAGE: onnxruntime, or onnxruntime-gpu, which has CUDA too. PREFIX is
# build/onnxruntime, where CMake looks by itself, as it does in /usr/local. Without arguments it
# does nothing where pkg-config finds ONNX Runtime already.
set -eu
prefix=${1:-$(dirname "$0")/../build/onnxruntime}
package=${2:-onnxruntime}
keys=/usr/share/keyrings/debian-archive-keyring.gpg

stop() {
    echo "install_onnxruntime.sh: $*" >&2
    exit 1
}

if [ $# = 0 ] && PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --exists libonnxruntime; then
    exit 0
fi
command -v apt-get >/dev/null || stop "this is no Debian: give CMake a libonnxruntime.pc"
python3 -m pip --version >/dev/null 2>&1 || stop "pip is missing: apt-get install python3-pip"
[ -e "$keys" ] || stop "$keys is missing: apt-get install debian-archive-keyring"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
echo "fetching the headers of libonnxruntime-dev and PyPI's $package" >&2

# The machine's mirror of its own release, and that of Debian 13 on it. State and cache are ours.
. /etc/os-release
mirror=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
    sed -n "s/^${VERSION_CODENAME:-none} //p" | head -n 1)
[ "${ID:-}" = debian ] || mirror=
mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/parts" "$work/deb"
echo "deb [signed-by=$keys] ${mirror:-http://deb.debian.org/debian} trixie main" >"$work/sources"
: >"$work/status"
apt() {
    apt-get -qq -o Dir::Etc::SourceList="$work/sources" -o Dir::Etc::SourceParts="$work/parts" \
        -o Dir::Etc::Preferences="$work/status" -o Dir::Etc::PreferencesParts="$work/parts" \
        -o Dir::State="$work/state" -o Dir::State::Status="$work/status" \
        -o Dir::Cache="$work/cache" -o APT::Sandbox::User= -o Acquire::Languages=none "$@"
}
apt update
(cd "$work/deb" && apt download libonnxruntime-dev)
dpkg-deb -x "$work"/deb/libonnxruntime-dev_*.deb "$work/dev"

python3 -m pip download --quiet --no-deps --only-binary :all: --dest "$work" "$package"
python3 -m zipfile -e "$work"/onnxruntime*.whl "$work/wheel"
library=$(cd "$work/wheel/onnxruntime/capi" && ls libonnxruntime.so.*)
version=${library#libonnxruntime.so.}

# The .pc comes last: with it the rest is there.
mkdir -p "$prefix/include" "$prefix/lib/pkgconfig"
rm -rf "$prefix/include/onnxruntime" "$prefix"/lib/libonnxruntime*
cp -R "$work/dev/usr/include/onnxruntime" "$prefix/include"
cp "$work"/wheel/onnxruntime/capi/libonnxruntime*.so* "$prefix/lib"
for name in libonnxruntime.so.1 libonnxruntime.so; do
    [ -e "$prefix/lib/$name" ] || ln -s "$library" "$prefix/lib/$name"
done
cat >"$prefix/lib/pkgconfig/libonnxruntime.pc" <<'END'
prefix=${pcfiledir}/../..
libdir=${prefix}/lib
includedir=${prefix}/include/onnxruntime

Name: onnxruntime
Description: ONNX Runtime
Libs: -L${libdir} -lonnxruntime
Cflags: -I${includedir}
END
echo "Version: $version" >>"$prefix/lib/pkgconfig/libonnxruntime.pc"
echo "ONNX Runtime $version is in $prefix; generate and build again" >&2
