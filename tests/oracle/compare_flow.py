#!/usr/bin/python3
"""Our flow beside OpenCV's DualTVL1 on real pairs: compare_flow.py LIBI3D DATA.

The preset `opencv` must be OpenCV's flow (RubberWhale: mean |difference| <= .02 px, 98.5 % of the
bytes within one level) and as near to the truth of FlyingChairs (end-point error within .03 px);
`opencv-cuda`, which has no peer without a GPU, must be as near to the truth too.
"""
import pathlib
import sys

try:
    import cv2
    cv2.optflow.DualTVL1OpticalFlow_create
except (ImportError, AttributeError):
    print("skipped: python3-opencv with optflow is not installed")
    sys.exit(77)

from i3d_flow import Library, difference, end_point_error, read_flo

library, data = Library(sys.argv[1]), pathlib.Path(sys.argv[2])
if not data.is_dir():
    print(f"skipped: {data} is not here")
    sys.exit(77)
failures = []


def expect(what, value, bound, above=False):
    good = value >= bound if above else value <= bound
    print(f"{what}: {value:.4f} ({'at least' if above else 'at most'} {bound})"
          f"{'' if good else '  WRONG'}")
    if not good:
        failures.append(what)


def grey(name):
    return cv2.imread(str(data / name), cv2.IMREAD_GRAYSCALE)


def ours(pair, preset):
    height, width = pair[0].shape
    return library.flow(width, height, preset).run(*pair)


cv2.setNumThreads(1)
pair = grey("rubberwhale1_gray.png"), grey("rubberwhale2_gray.png")
live = cv2.optflow.DualTVL1OpticalFlow_create().calc(*pair, None)
for what, peer in (("live", live),
                   ("stored", read_flo(data / "rubberwhale_opencv460_tvl1_default.flo"))):
    mean, share = difference(ours(pair, "opencv"), peer)
    expect(f"RubberWhale, {what}: mean |difference|, px", mean, .02)
    expect(f"RubberWhale, {what}: bytes within one level", share, .985, above=True)

for number in ("0000001", "0000002"):
    pair = grey(f"{number}-img0.png"), grey(f"{number}-img1.png")
    truth = read_flo(data / f"{number}-gt.flo")
    peer = cv2.optflow.DualTVL1OpticalFlow_create().calc(*pair, None)
    error = end_point_error(peer, truth)
    print(f"FlyingChairs {number}: end-point error of OpenCV {error:.4f}")
    expect(f"FlyingChairs {number}: |error of opencv - OpenCV's|",
           abs(end_point_error(ours(pair, "opencv"), truth) - error), .03)
    expect(f"FlyingChairs {number}: error of opencv-cuda - OpenCV's",
           end_point_error(ours(pair, "opencv-cuda"), truth) - error, .03)

sys.exit(1 if failures else 0)
