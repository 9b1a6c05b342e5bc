#!/bin/sh
# Installs the Debian packages that are missing: install_packages.sh build|test|oracle ...
# Says first what it will install; works as root or with sudo; does nothing when all are there.
set -eu

build="gcc cmake ninja-build pkg-config libavformat-dev libavcodec-dev libavutil-dev
       libswscale-dev libturbojpeg0-dev libdnnl-dev libjansson-dev
       libprotobuf-c-dev protobuf-c-compiler zlib1g-dev libopenmpi-dev openmpi-bin"
test="g++ libcmocka-dev ffmpeg gcovr clang clang-format python3 python3-pip"
oracle="python3-torch python3-opencv python3-numpy python3-venv slurm-wlm munge"

wanted=
for group in "$@"; do
    case $group in
    build) wanted="$wanted $build" ;;
    test) wanted="$wanted $test" ;;
    oracle) wanted="$wanted $oracle" ;;
    *) echo "usage: install_packages.sh build|test|oracle ..." >&2; exit 2 ;;
    esac
done

missing=
for package in $wanted; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    root=
elif command -v sudo >/dev/null; then
    root=sudo
else
    echo "these packages are missing; install them as root and start again:" >&2
    echo "    apt-get install$missing" >&2
    exit 1
fi
echo "installing:$missing" >&2
$root apt-get update -qq
# shellcheck disable=SC2086 # the list is meant to be split
$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
