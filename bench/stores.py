#!/usr/bin/python3
"""Size and read speed of the stores of frames and flow, in turns: bench/stores.py I3D LIBI3D
[--clips N] [--rounds N] [--json FILE].

`i3d prepare` makes each store from the same videos, N clips of ../shared/data/clips/ut_interaction
(the shortest of each class in turn): folders of jpgs, one .mkv of JPEGs a video, one .mkv of FFV1
(lossless) a video. Then the loader reads training clips of 64 frames, 224 x 224, from each in every
round, on one worker; times are processor time of the process, and files are in the page cache. Ends
with 1 if the .mkv of JPEGs does not give the bits of the folder of jpgs.
"""
import argparse
import ctypes
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np

CLIPS = pathlib.Path(__file__).resolve().parent.parent / "../shared/data/clips/ut_interaction"
STORES = {"jpg": (), "mkv mjpeg": ("--store", "mkv"),
          "mkv ffv1": ("--store", "mkv", "--codec", "ffv1")}
STREAMS = ("rgb", "flow")
CLIP = dict(frames=64, size=224, training=True, clips_per_video=1, resize=256, augment=True)


class DatasetOptions(ctypes.Structure):
    """The structs of <i3d/clip.h>."""

    _fields_ = [("annotation", ctypes.c_char_p), ("root", ctypes.c_char_p),
                ("stream", ctypes.c_int), ("subset", ctypes.c_int), ("video", ctypes.c_bool),
                ("short_side", ctypes.c_int), ("fps", ctypes.c_double),
                ("fill_gaps", ctypes.c_bool), ("time_limit", ctypes.c_double),
                ("flow_preset", ctypes.c_char_p), ("flow_cache", ctypes.c_char_p),
                ("strict", ctypes.c_bool)]


class ClipOptions(ctypes.Structure):
    _fields_ = [("frames", ctypes.c_int), ("size", ctypes.c_int), ("training", ctypes.c_bool),
                ("clips_per_video", ctypes.c_int), ("resize", ctypes.c_int),
                ("augment", ctypes.c_bool), ("bgr", ctypes.c_bool),
                ("crop_per_frame", ctypes.c_bool), ("flip_keeps_sign", ctypes.c_bool),
                ("temporal_off_by_one", ctypes.c_bool), ("skip_bad", ctypes.c_bool)]


class LoaderOptions(ctypes.Structure):
    _fields_ = [("clip", ClipOptions), ("batch", ctypes.c_int), ("shuffle", ctypes.c_bool),
                ("seed", ctypes.c_uint64), ("workers", ctypes.c_int)]


class Batch(ctypes.Structure):
    """i3d_batch of <i3d/tensor.h>, as far as it is read here."""

    _fields_ = [(name, ctypes.c_int) for name in ("count", "capacity", "channels", "frames",
                                                  "height", "width")] + \
        [("data", ctypes.POINTER(ctypes.c_float))]


class Loader:
    def __init__(self, calls, root, stream):
        self.calls, self.dataset, self.handle = calls, ctypes.c_void_p(), ctypes.c_void_p()
        base = root / STREAMS[stream] / "set"
        options = DatasetOptions(annotation=str(base / "annotation" / "set_1.json").encode(),
                                 root=str(base / "jpg").encode(), stream=stream, strict=True)
        self.check(calls.i3d_dataset_open(ctypes.byref(options), ctypes.byref(self.dataset)))
        options = LoaderOptions(clip=ClipOptions(**CLIP), batch=1, shuffle=True, seed=1, workers=1)
        self.check(calls.i3d_loader_create(self.dataset, ctypes.byref(options),
                                           ctypes.byref(self.handle)))
        self.floats = (3, 2)[stream] * CLIP["frames"] * CLIP["size"] ** 2

    def check(self, status):
        if status != 0:
            raise RuntimeError(self.calls.i3d_error().decode())

    def epoch(self, number, keep=False):
        """The clips of an epoch: their number and, if asked for, all their numbers."""
        self.check(self.calls.i3d_loader_start(self.handle, number, 0))
        batch, clips = ctypes.POINTER(Batch)(), []
        while self.calls.i3d_loader_next(self.handle, ctypes.byref(batch)) == 0:
            clips.append(np.ctypeslib.as_array(batch.contents.data, (self.floats,)).copy()
                         if keep else None)
        return len(clips), clips

    def close(self):
        self.calls.i3d_loader_free(self.handle)
        self.calls.i3d_dataset_close(self.dataset)


def choose(count):
    """Every class has its turn, shortest clips first."""
    classes = [sorted(folder.glob("*.avi"), key=lambda path: path.stat().st_size)
               for folder in sorted(CLIPS.iterdir()) if folder.is_dir()]
    return [paths[i] for i in range(max(map(len, classes))) for paths in classes
            if i < len(paths)][:count]


def prepare(program, videos, root):
    source = root / "videos"
    for video in videos:
        (source / video.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(video, source / video.parent.name)
    for name, options in STORES.items():
        subprocess.run([program, "prepare", "set", source, root / name, "--ratio", "0.9", "--size",
                        "240", "--preset", "turbo", "--quiet", *options], check=True,
                       stdout=subprocess.DEVNULL)


def footprint(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {"files": len(files), "MB": sum(path.stat().st_size for path in files) / 1e6,
            "MB on disk": sum(path.stat().st_blocks for path in files) * 512 / 1e6}


def measure(calls, root, stream, rounds, report):
    loaders = {name: Loader(calls, root / name, stream) for name in STORES}
    first = {name: loader.epoch(0, keep=True)[1] for name, loader in loaders.items()}
    same = all(np.array_equal(a, b) for a, b in zip(first["jpg"], first["mkv mjpeg"]))
    spent = {name: [] for name in STORES}
    for number in range(1, rounds + 1):
        for name, loader in loaders.items():
            start = time.process_time()
            clips, _ = loader.epoch(number)
            spent[name].append((time.process_time() - start) / clips)
    for name, loader in loaders.items():
        loader.close()
        row = footprint(root / name / STREAMS[stream] / "set" / "jpg")
        row["ms a clip"] = 1e3 * float(np.median(spent[name]))
        row["speed"] = float(np.median(np.array(spent["jpg"]) / spent[name]))
        report[f"{STREAMS[stream]}, {name}"] = row
    if not same:
        report["missed"].append(f"{STREAMS[stream]}: mkv mjpeg does not give the bits of jpg")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("library")
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    if not CLIPS.is_dir():
        print(f"skipped: {CLIPS} is not here")
        sys.exit(77)
    calls = ctypes.CDLL(arguments.library)
    calls.i3d_error.restype = ctypes.c_char_p

    report = {"missed": []}
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        videos = choose(arguments.clips)
        prepare(arguments.program.resolve(), videos, root)
        for stream in range(len(STREAMS)):
            measure(calls, root, stream, arguments.rounds, report)
    print(f"{len(videos)} videos at short side 240; clips of {CLIP['frames']} frames")
    print(f"{'store':18}{'files':>8}{'MB':>8}{'on disk':>9}{'ms a clip':>11}{'speed':>8}")
    for name, row in report.items():
        if name != "missed":
            print(f"{name:18}{row['files']:8}{row['MB']:8.2f}{row['MB on disk']:9.2f}"
                  f"{row['ms a clip']:11.1f}{row['speed']:7.2f}x")
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")
    print("missed:", *(report["missed"] or ["nothing"]), sep="\n  ")
    sys.exit(1 if report["missed"] else 0)


if __name__ == "__main__":
    main()
