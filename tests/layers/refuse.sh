#!/bin/sh
# The check itself: of three forbidden includes in a small tree it names each, and nothing else.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/src/flow" "$root/src/video" "$root/cli" "$root/include/i3d"
cp "$here/../../src/layers.txt" "$root/src"
printf '#include "image/image.h"\n#include <i3d/model.h>\n' >"$root/src/flow/flow.c"
printf '#include <libavutil/frame.h>\n#include "clip/clip.h"\n' >"$root/src/video/video.c"
printf '#include <libavutil/frame.h>\n#include "clip/clip.h"\n' >"$root/cli/main.c"
printf '#include <i3d/status.h>\n#include <stdio.h>\n' >"$root/include/i3d/video.h"

if "$here/check.sh" "$root" >"$root/refused"; then
    echo 'forbidden includes were let through' >&2
    exit 1
fi
cat >"$root/wanted" <<'END'
cli/main.c: <libavutil/frame: cli may not use this library
src/flow/flow.c: <i3d/model: flow may not use model
src/video/video.c: "clip/clip: video may not use clip
END
diff "$root/wanted" "$root/refused"
