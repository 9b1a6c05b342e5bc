#!/bin/sh
# OpenCV 5.0's DualTVL1 gives another flow than 4.x with the same arguments.
#
# Versions: opencv-contrib-python-headless 4.13.0.92 and 5.0.0.93 (wheels of PyPI), NumPy 2.2.6.
# Behaviour: cv2.remap with INTER_CUBIC rounds positions to 1/32 pixel in 4.x; 5.0 does not, and
# DualTVL1OpticalFlow warps with it. So flow of one data set made by both is two kinds of flow, and
# no argument brings the other back.
# Seen: a picture of 64 x 64 remapped by .01 pixel: unchanged in 4.13 (largest change 0), changed in
# 5.0 (by .27 at most). Flow of a pair of 160 x 120 that moves by (1.3, -.6): mean |difference| .009
# pixel.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/look.py" <<'PY'
import sys
import cv2
import numpy as np
cv2.setNumThreads(1)
y, x = np.mgrid[0:120, 0:160].astype(np.float32)
picture = lambda dx, dy: np.rint(128 + 60 * np.sin((x - dx) / 7 + (y - dy) / 11) +
                                 50 * np.cos((x - dx) / 5 - (y - dy) / 9)).astype(np.uint8)
small = picture(0, 0)[:64, :64].astype(np.float32)
shifted = cv2.remap(small, x[:64, :64] + np.float32(.01), y[:64, :64], cv2.INTER_CUBIC)
flow = cv2.optflow.DualTVL1OpticalFlow_create().calc(picture(0, 0), picture(1.3, -.6), None)
np.save(sys.argv[1], flow)
print("OpenCV", cv2.__version__, "NumPy", np.__version__)
print("remap by .01 pixel, largest change inside:", float(np.abs(shifted - small)[2:-2, 2:-3].max()))
print("flow, mean:", flow.mean((0, 1)))
PY
for version in 4.13.0.92 5.0.0.93; do
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/pip" -q install numpy==2.2.6 "opencv-contrib-python-headless==$version"
    "$folder/$version/bin/python" "$folder/look.py" "$folder/$version.npy" | tee "$folder/$version.txt"
done
"$folder/5.0.0.93/bin/python" - "$folder" <<'PY'
import sys
import numpy as np
folder = sys.argv[1]
old, new = (float(open(f"{folder}/{v}.txt").read().split("inside: ")[1].split()[0])
            for v in ("4.13.0.92", "5.0.0.93"))
difference = np.abs(np.load(f"{folder}/4.13.0.92.npy") - np.load(f"{folder}/5.0.0.93.npy")).mean()
print("flow, mean |difference|:", difference)
sys.exit(0 if old == 0 and new > .01 and difference > .001 else "the behaviour has changed")
PY
