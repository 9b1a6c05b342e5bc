#!/usr/bin/python3
"""Makes the goldens of tests/unit/image with OpenCV (Debian: python3-opencv): make.py FOLDER.

opencv.h holds what cv2.resize(INTER_LINEAR) and cv2.cvtColor make of a small picture.
"""
import pathlib
import sys

import cv2
import numpy as np

HEAD = "/* Made by make.py with OpenCV %s. */\n" % cv2.__version__


def array(name, values):
    text = ", ".join(str(int(v)) for v in np.asarray(values).ravel())
    return f"static const uint8_t {name}[] = {{ {text} }};\n"


def main(folder):
    noise = np.random.default_rng(1)
    source = noise.integers(0, 256, (7, 9, 3), dtype=np.uint8)
    text = HEAD + "/* clang-format off */\n" + array("scale_source", source)
    cases = []
    for width, height in [(9, 7), (5, 4), (18, 14), (13, 3), (1, 1), (4, 11), (30, 2)]:
        name = f"scale_{width}x{height}"
        text += array(name, cv2.resize(source, (width, height), interpolation=cv2.INTER_LINEAR))
        cases.append(f"    {{ {width}, {height}, {name} }},\n")
    text += ("static const struct { int width, height; const uint8_t *pixels; } scale_cases[] = {\n"
             + "".join(cases) + "};\n")
    grey = cv2.cvtColor(source, cv2.COLOR_RGB2GRAY)
    text += array("grey", grey)
    (folder / "opencv.h").write_text(text)


main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent))
