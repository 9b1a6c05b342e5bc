#!/usr/bin/python3
"""Frames and flow of videos, by the chain a user has today and by ours, in turns:
bench/flow_chain.py I3D [--clips N] [--json FILE] [VIDEO ...]

Today: ffmpeg writes jpgs of short side 240, then a Python script reads them, computes OpenCV's
DualTVL1 (its defaults, all its threads) between neighbours and writes two grey jpgs a frame, as the
original system's tools do. Ours: `i3d frames`, then `i3d flow`, each on all cores. Times are what
passes on the clock. Without VIDEOs: the N shortest clips of ../shared/data/clips/ut_interaction,
because the chain takes minutes for them. Ends with 1 if ours with the preset `opencv`, which gives
the chain's flow, is not 8 times as fast.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import cv2
import numpy as np

BAR = 8  # of the preset `opencv`
CLIPS = pathlib.Path(__file__).resolve().parent.parent / "../shared/data/clips/ut_interaction"


def frame_count(folder):
    return len(list(folder.glob("image_*[0-9].jpg")))


def todays_chain(videos, rgb, flow):
    for video in videos:
        frames, target = rgb / video.stem, flow / video.stem
        frames.mkdir(parents=True)
        target.mkdir(parents=True)
        capture = cv2.VideoCapture(str(video))
        wide = capture.get(cv2.CAP_PROP_FRAME_WIDTH) > capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
        capture.release()
        subprocess.run(["ffmpeg", "-loglevel", "error", "-i", video, "-vf",
                        "scale=-1:240" if wide else "scale=240:-1",
                        frames / "image_%05d.jpg"], check=True)
        tvl1 = cv2.optflow.DualTVL1OpticalFlow_create()
        before = None
        for i, path in enumerate(sorted(frames.glob("*.jpg")), 1):
            now = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2GRAY)
            motion = tvl1.calc(now if before is None else before, now, None)
            levels = np.clip(np.rint((motion + 20) * 255 / 40), 0, 255).astype(np.uint8)
            cv2.imwrite(str(target / f"image_{i:05d}x.jpg"), levels[..., 0])
            cv2.imwrite(str(target / f"image_{i:05d}y.jpg"), levels[..., 1])
            before = now
    return sum(frame_count(rgb / video.stem) for video in videos)


def ours(program, preset, videos, root, rgb, flow):
    source = root / "videos" / "clips"
    source.mkdir(parents=True)
    for video in videos:
        shutil.copy(video, source)
    start = time.monotonic()
    subprocess.run([program, "frames", source.parent, rgb, "--size", "240", "--quiet"], check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run([program, "flow", rgb, flow, "--preset", preset, "--quiet"], check=True,
                   stdout=subprocess.DEVNULL)
    spent = time.monotonic() - start
    return spent, sum(frame_count(folder) for folder in (rgb / "clips").iterdir())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("videos", nargs="*", type=pathlib.Path)
    parser.add_argument("--clips", type=int, default=2)
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    videos = arguments.videos or sorted(CLIPS.glob("*/*.avi"),
                                        key=lambda path: path.stat().st_size)[:arguments.clips]
    if not videos or not shutil.which("ffmpeg"):
        print("skipped:", "ffmpeg is not installed" if videos else f"{CLIPS} is not here")
        sys.exit(77)

    report = {}
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        start = time.monotonic()
        frames = todays_chain(videos, root / "a" / "rgb", root / "a" / "flow")
        report["today"] = time.monotonic() - start
        for preset in ("opencv", "quality", "fast"):
            place = root / preset
            report[preset], count = ours(arguments.program.resolve(), preset, videos, place,
                                         place / "rgb", place / "flow")
            if count != frames:
                sys.exit(f"the chain has {frames} frames, ours has {count}")
    print(f"{len(videos)} videos, {frames} frames")
    for name, seconds in report.items():
        print(f"{name:8} {seconds:8.2f} s {frames / seconds:8.1f} frames/s "
              f"{report['today'] / seconds:6.1f} x")
    missed = report["today"] / report["opencv"] < BAR
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")
    print("missed:", f"opencv is not {BAR} x as fast" if missed else "nothing", sep="\n  ")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
