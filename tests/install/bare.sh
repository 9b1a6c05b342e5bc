#!/bin/sh
# `make` needs no package of the tests: the release preset is configured where pkg-config knows no
# cmocka: bare.sh SOURCE
set -eu
source=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/pkg-config" <<'END'
#!/bin/sh
case "$*" in *cmocka*) exit 1 ;; esac
exec pkg-config "$@"
END
chmod +x "$folder/pkg-config"
export PKG_CONFIG="$folder/pkg-config"

cd "$source"
cmake --preset release -B "$folder/build" >"$folder/log" 2>&1 || {
    cat "$folder/log" >&2
    exit 1
}
# The trick works: with the tests it must be refused, with the way out.
if cmake --preset release -B "$folder/build" -D I3D_TESTS=ON >"$folder/log" 2>&1; then
    echo "configured with tests though there is no cmocka" >&2
    exit 1
fi
grep -q 'install_packages.sh build test' "$folder/log"
