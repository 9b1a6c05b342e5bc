#!/usr/bin/python3
"""Makes the pairs here and what OpenCV 4.6's DualTVL1 says of them (its defaults, one thread).

    /usr/bin/python3 tests/golden/flow/make.py

NAME_0.grey, NAME_1.grey: 80 x 60 bytes; NAME.flo: OpenCV's flow from 0 to 1. NAME_ipol.flo is the
same by version 4 of the program of Sanchez, Meinhardt-Llopis and Facciolo (IPOL 2013), which is not
called here: tau .25, lambda .15, theta .3, 5 scales (of which it takes 3), zoom .5, 5 warps,
epsilon .01, one thread.
"""
import pathlib

import cv2
import numpy as np

W, H = 80, 60
HERE = pathlib.Path(__file__).parent


def texture(seed):
    """Noise at three scales, on a canvas larger than the picture."""
    random = np.random.default_rng(seed)
    canvas = np.zeros((H + 40, W + 40), np.float32)
    for size, weight in ((4, 60), (9, 50), (20, 40)):
        noise = random.standard_normal((canvas.shape[0] // size + 2, canvas.shape[1] // size + 2))
        canvas += weight * cv2.resize(noise.astype(np.float32), canvas.shape[::-1],
                                      interpolation=cv2.INTER_CUBIC)
    return np.clip(canvas + 128, 0, 255)


def look(canvas, u, v):
    """The picture seen when what is at (x, y) has come from (x - u, y - v)."""
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    return np.rint(cv2.remap(canvas, x + 20 - u, y + 20 - v, cv2.INTER_LINEAR)).astype(np.uint8)


def smooth():
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    u, v = 1.5 + .8 * np.sin(y / 9), -.7 + .6 * np.cos(x / 11)
    canvas = texture(1)
    return look(canvas, 0 * u, 0 * v), look(canvas, u.astype(np.float32), v.astype(np.float32))


def objects():
    """A textured square that moves (2, -1) over a background that moves (-1, 0)."""
    back, front = texture(2), texture(3)
    still, one = np.zeros((H, W), np.float32), np.ones((H, W), np.float32)
    first, second = look(back, still, still), look(back, -one, still)
    first[20:44, 24:52] = look(front, still, still)[20:44, 24:52]
    second[19:43, 26:54] = look(front, 2 * one, -one)[19:43, 26:54]
    return first, second


cv2.setNumThreads(1)
for make in (smooth, objects):
    pair = make()
    flow = cv2.optflow.DualTVL1OpticalFlow_create().calc(*pair, None)
    for i, picture in enumerate(pair):
        picture.tofile(HERE / f"{make.__name__}_{i}.grey")
    with open(HERE / f"{make.__name__}.flo", "wb") as file:
        file.write(b"PIEH" + np.int32([W, H]).tobytes() + flow.astype("<f4").tobytes())
    print(make.__name__, "mean |u|, |v|:", np.abs(flow).mean((0, 1)))
