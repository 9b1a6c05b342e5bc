#!/usr/bin/python3
"""Our flow beside OpenCV's DualTVL1 in one run: bench/flow.py LIBI3D [--data DIR] [--json FILE].

Pairs of 320 x 240 with known motion are made here, and FlyingChairs pairs are read where DIR
(../shared/data/flow) is. For each pair the two take turns, one thread each; times are processor
time of this thread, the least of the turns. The ratios are OpenCV's time over ours, for each pair
and for the sums over those of 320 x 240: OpenCV stops early where little moves, most of our presets
do not. Errors are end-point errors in pixels. Then two threads, each with pairs of its own, against
one.
"""
import argparse
import json
import pathlib
import sys
import threading
import time

import cv2
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "oracle"))
from i3d_flow import Library, difference, end_point_error, read_flo  # noqa: E402

W, H = 320, 240
PRESETS = ("opencv", "opencv-cuda", "ipol", "quality", "fast", "turbo")
BARS = {"opencv": 14, "quality": 45, "fast": 90}
EXACT = ("quality", "fast")


def texture(seed, contrast=1.0):
    random = np.random.default_rng(seed)
    picture = np.zeros((H, W), np.float32)
    for size, weight in ((2, 12), (5, 30), (13, 35), (40, 35)):
        noise = random.standard_normal((H // size + 3, W // size + 3)).astype(np.float32)
        picture += weight * cv2.resize(noise, (W, H), interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + contrast * picture, 0, 255)


def field(function):
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    return np.stack(np.broadcast_arrays(*function(x, y), x)[:2], 2).astype(np.float32)


def seen(picture, flow):
    """The picture before it moved by `flow`."""
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    return cv2.remap(picture, x + flow[..., 0], y + flow[..., 1], cv2.INTER_CUBIC,
                     borderMode=cv2.BORDER_REFLECT)


def moved(back, motion, objects=()):
    """First and second picture and the flow between them; an object is x, y, radius, picture and
    the whole pixels that it moves by."""
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    first, second, flow = seen(back, motion), back.copy(), motion.copy()
    for cx, cy, radius, picture, (u, v) in objects:
        before = (x - cx) ** 2 + (y - cy) ** 2 < radius ** 2
        after = (x - cx - u) ** 2 + (y - cy - v) ** 2 < radius ** 2
        shift = np.broadcast_to(np.float32([u, v]), flow.shape)
        first[before] = seen(picture, shift)[before]
        second[after] = picture[after]
        flow[before] = (u, v)
    return [np.clip(np.rint(p), 0, 255).astype(np.uint8) for p in (first, second)], flow


def generated_pairs():
    still = field(lambda x, y: (0, 0))
    yield "small", moved(texture(1), field(lambda x, y: (1.2 * np.sin(y / 40), np.cos(x / 50))))
    yield "medium", moved(texture(2), field(lambda x, y: (4 + 4 * np.sin(y / 60),
                                                          3 * np.cos(x / 70))))
    yield "objects", moved(texture(3), field(lambda x, y: (-1, .5)), (
        (90, 80, 40, texture(4), (5, -2)), (220, 150, 50, texture(5), (-4, 4))))
    yield "fast objects", moved(texture(6), still, (
        (90, 80, 40, texture(7), (12, 0)), (220, 150, 50, texture(8), (-8, -9))))
    yield "low contrast", moved(texture(9, .15), still, (
        (110, 120, 50, texture(10, .2), (3, 1)), (240, 100, 40, texture(11, .2), (-2, 2))))
    yield "large translation", moved(texture(12), field(lambda x, y: (13, -4)))


def chairs_pairs(data):
    for number in ("0000001", "0000002"):
        pair = [cv2.imread(str(data / f"{number}-img{i}.png"), cv2.IMREAD_GRAYSCALE)
                for i in (0, 1)]
        yield f"FlyingChairs {number}", (pair, read_flo(data / f"{number}-gt.flo"))


def timed(work):
    start = time.thread_time()
    result = work()
    return time.thread_time() - start, result


def measure(library, pair, truth, rounds):
    height, width = pair[0].shape
    opencv = cv2.optflow.DualTVL1OpticalFlow_create()
    contestants = {"OpenCV": lambda: opencv.calc(*pair, None)}
    for preset in PRESETS:
        contestants[preset] = (lambda flow: lambda: flow.run(*pair))(
            library.flow(width, height, preset))
    times, flows = {name: [] for name in contestants}, {}
    for _ in range(rounds):
        for name, work in contestants.items():
            turns = 1 if name == "OpenCV" else 4
            for _ in range(turns):
                seconds, flows[name] = timed(work)
                times[name].append(seconds)
    result = {}
    for name in contestants:
        mean, share = difference(flows[name], flows["OpenCV"])
        result[name] = {"ms": 1e3 * min(times[name]),
                        "ratio": min(times["OpenCV"]) / min(times[name]),
                        "error": end_point_error(flows[name], truth),
                        "difference": mean, "within_one_level": share}
    return result


def pairs_a_second(library, pair, preset, threads, seconds=2.0):
    """Over time that passed, and over the mean processor time of the threads: the second is what
    the first would be if nothing else ran on the machine."""
    height, width = pair[0].shape
    counts, spent = [0] * threads, [0.0] * threads
    end = time.monotonic() + seconds

    def work(i):
        flow = library.flow(width, height, preset)
        start = time.thread_time()
        while time.monotonic() < end:
            flow.run(*pair)
            counts[i] += 1
        spent[i] = time.thread_time() - start

    workers = [threading.Thread(target=work, args=(i,)) for i in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return np.array([sum(counts) / seconds, sum(counts) / (sum(spent) / threads)])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "../shared/data/flow")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    library = Library(arguments.library)
    pairs = dict(generated_pairs())
    if arguments.data.is_dir():
        pairs.update(chairs_pairs(arguments.data))
    else:
        print(f"without FlyingChairs: {arguments.data} is not here")

    report = {"opencv": cv2.__version__, "pairs": {}, "ratios": {}, "missed": []}
    totals = dict.fromkeys(("OpenCV", *PRESETS), 0.0)
    print(f"{'pair':20}{'':12}{'ms':>8}{'ratio':>8}{'error':>8}{'to OpenCV':>11}{'bytes +-1':>11}")
    for pair_name, (pair, truth) in pairs.items():
        result = report["pairs"][pair_name] = measure(library, pair, truth, arguments.rounds)
        heading = pair_name
        for name, r in result.items():
            worse = name in EXACT and r["error"] > result["OpenCV"]["error"] + .03
            if worse:
                report["missed"].append(f"{pair_name}: {name} is less exact")
            if pair[0].shape == (H, W):
                totals[name] += r["ms"]
            print(f"{heading:20}{name:12}{r['ms']:8.2f}{r['ratio']:8.1f}{r['error']:8.3f}"
                  f"{r['difference']:11.4f}{100 * r['within_one_level']:10.2f}%"
                  f"{'  less exact' if worse else ''}")
            heading = ""
    for name in PRESETS:
        ratio = report["ratios"][name] = totals["OpenCV"] / totals[name]
        print(f"{'all of 320 x 240':20}{name:12}{totals[name]:8.2f}{ratio:8.1f}"
              f"{f'  (bar: {BARS[name]})' if name in BARS else ''}")
        if ratio < BARS.get(name, 0):
            report["missed"].append(f"{name} is {ratio:.1f} x as fast, not {BARS[name]} x")

    pair = pairs["medium"][0]
    for preset in ("opencv", "fast"):
        rates = [pairs_a_second(library, pair, preset, threads) for threads in (1, 2)]
        gains = report["ratios"][f"two threads, {preset}"] = list(rates[1] / rates[0])
        print(f"{preset}: {rates[0][0]:.1f} pairs/s on one thread, {rates[1][0]:.1f} on two "
              f"({gains[0]:.2f} x; {gains[1]:.2f} x by processor time)")
        if max(gains) < 1.9:
            report["missed"].append(f"two threads of {preset} are {max(gains):.2f} x one")
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")
    print("missed:", *(report["missed"] or ["nothing"]), sep="\n  ")


if __name__ == "__main__":
    main()
