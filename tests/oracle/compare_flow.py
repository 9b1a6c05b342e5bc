#!/usr/bin/python3
"""Our flow beside OpenCV's DualTVL1 and the IPOL program on real pairs: compare_flow.py LIBI3D DATA.

The preset `opencv` must be OpenCV's flow (RubberWhale: mean |difference| <= .02 px, 98.5 % of the
bytes within one level) and as near to the truth of FlyingChairs (end-point error within .03 px);
`opencv-cuda`, which has no peer without a GPU, must be as near to the truth too. `ipol` must be the
stored flow of the IPOL program (mean |difference| <= .02 px where the motion is small enough to be
found, end-point errors within .03 px). Under OpenCV 5 the preset is `opencv5`.
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

PRESET = "opencv5" if int(cv2.__version__.split(".")[0]) >= 5 else "opencv"
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
for what, preset, peer in (
        ("live", PRESET, live),
        ("stored", "opencv", read_flo(data / "rubberwhale_opencv460_tvl1_default.flo"))):
    mean, share = difference(ours(pair, preset), peer)
    expect(f"RubberWhale, {what}: mean |difference|, px", mean, .02)
    expect(f"RubberWhale, {what}: bytes within one level", share, .985, above=True)

expect("RubberWhale: mean |ipol - the program|, px",
       difference(ours(pair, "ipol"), read_flo(data / "rubberwhale_ipol.flo"))[0], .02)

for number in ("0000001", "0000002"):
    pair = grey(f"{number}-img0.png"), grey(f"{number}-img1.png")
    truth = read_flo(data / f"{number}-gt.flo")
    peer = cv2.optflow.DualTVL1OpticalFlow_create().calc(*pair, None)
    error = end_point_error(peer, truth)
    print(f"FlyingChairs {number}: end-point error of OpenCV {error:.4f}")
    expect(f"FlyingChairs {number}: |error of {PRESET} - OpenCV's|",
           abs(end_point_error(ours(pair, PRESET), truth) - error), .03)
    expect(f"FlyingChairs {number}: error of opencv-cuda - OpenCV's",
           end_point_error(ours(pair, "opencv-cuda"), truth) - error, .03)
    peer, flow = read_flo(data / f"{number}_ipol.flo"), ours(pair, "ipol")
    expect(f"FlyingChairs {number}: |error of ipol - the program's|",
           abs(end_point_error(flow, truth) - end_point_error(peer, truth)), .03)
    if number == "0000001":
        expect(f"FlyingChairs {number}: mean |ipol - the program|, px", difference(flow, peer)[0], .02)

sys.exit(1 if failures else 0)
