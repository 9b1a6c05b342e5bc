#!/usr/bin/python3
"""Frames decoded and memory taken by predictions: bench/decoded.py BUILD [--before PROGRAM]
[--clips N] [--json FILE].

A prediction of N clips (10) with both networks, of a clip of ../shared/data/clips: how often the
video's frames are decoded, in multiples of their number. Ours has to stay within 2.1. Then the same
of the video once and twenty times over, in one file: the peak memory, which must not grow by more
than 5 %. PROGRAM, the i3d of another build, is measured beside ours; bench/run.sh gives that of
v0.1.0. Ends with 1 if ours misses one of the two.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

MOST = 2.1
GROWTH = 1.05
SHARED = pathlib.Path(__file__).resolve().parent.parent / "../shared/data"
VIDEO = SHARED / "clips/misc/mmaction2_test.avi"
WEIGHTS = SHARED / "weights/bvlc_googlenet_oihw_f16.npz"
TIMES = 20


def count(video):
    out = subprocess.run(["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0",
                          "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", video],
                         check=True, capture_output=True, text=True).stdout
    return int(out.strip().strip(","))


def predict(program, counter, networks, clips, video, folder):
    """Frames decoded, and the peak of the resident memory in KiB."""
    note = folder / "decoded"
    child = subprocess.Popen(
        [program, "predict", video, *networks, "--num-val-samples", str(clips), "--flow-preset",
         "turbo", "--test-sample-duration", "16", "--spatial-size", "112", "--size", "120",
         "--threads", "1", "--quiet"],
        env={**os.environ, "LD_PRELOAD": str(counter), "I3D_DECODED": str(note)},
        stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{program} predict ended with {child.returncode}")
    return int(note.read_text()), used.ru_maxrss


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--before", type=pathlib.Path)
    parser.add_argument("--clips", type=int, default=10)
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    if not VIDEO.exists() or not WEIGHTS.exists() or not shutil.which("ffmpeg"):
        print(f"skipped: {VIDEO}, {WEIGHTS} or ffmpeg is not here")
        sys.exit(77)
    build = arguments.build.resolve()
    programs = {"ours": build / "cli/i3d"}
    if arguments.before:
        programs["before"] = arguments.before.resolve()

    report, missed = {}, []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        networks = []
        for stream, channels in (("rgb", "3"), ("flow", "2")):
            path = folder / f"{stream}.ckpt"
            subprocess.run([programs["ours"], "inflate", WEIGHTS, path, "--channels", channels,
                            "--quiet"], check=True, stdout=subprocess.DEVNULL)
            networks += [f"--{stream}", path]
        long = folder / "long.avi"
        subprocess.run(["ffmpeg", "-v", "error", "-stream_loop", str(TIMES - 1), "-i", VIDEO, "-c",
                        "copy", long], check=True)
        for program, path in programs.items():
            row = report[program] = {}
            for key, video in (("once", VIDEO), (f"{TIMES} times", long)):
                decoded, memory = predict(path, build / "bench/decoded.so", networks,
                                          arguments.clips, video, folder)
                row[key] = {"frames": count(video), "decoded": decoded, "MB": memory / 1024}
    print(f"{arguments.clips} clips, two streams")
    print(f"{'':8}{'video':>10}{'frames':>8}{'decoded':>9}{'a frame':>9}{'peak MB':>9}")
    for program, row in report.items():
        for key, cell in row.items():
            print(f"{program:8}{key:>10}{cell['frames']:8}{cell['decoded']:9}"
                  f"{cell['decoded'] / cell['frames']:9.2f}{cell['MB']:9.1f}")
    ours = report["ours"].values()
    if any(cell["decoded"] > MOST * cell["frames"] for cell in ours):
        missed.append(f"a frame is decoded more than {MOST} times")
    least, most = min(cell["MB"] for cell in ours), max(cell["MB"] for cell in ours)
    if most > GROWTH * least:
        missed.append(f"a longer video takes {most / least:.2f} times the memory")
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")
    print("missed:", *(missed or ["nothing"]), sep="\n  ")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
