#!/usr/bin/python3
"""What bfloat16 costs on real clips: compare_bfloat16.py I3D SHARED_DATA

The five clips of clips/misc through an inflated GoogLeNet, in clips of many sizes, with float32 and
with bfloat16. The oracle is float32, which is held to the reference engine elsewhere. Logits, less
their mean, have to be within 2e-2 of float32's, and the five best classes the same in the same order
wherever their logits are more than .03 apart. Printed are the lists that are the same to the letter,
and how near two neighbours among the best six come.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy

SIZES = [(64, 224), (32, 224), (16, 224), (64, 160), (32, 160), (24, 160), (16, 160), (64, 112),
         (32, 112), (24, 112), (16, 112)]
BOUND, APART = 2e-2, .03

program, shared = sys.argv[1], pathlib.Path(sys.argv[2])
weights = shared / "weights/bvlc_googlenet_oihw_f16.npz"
videos = sorted(path for path in (shared / "clips/misc").glob("*") if path.suffix in (".mp4", ".avi"))
if not weights.exists() or not videos:
    print(f"skipped: {shared} is not here")
    sys.exit(77)
if "avx512f" not in pathlib.Path("/proc/cpuinfo").read_text():
    print("skipped: bfloat16 needs AVX-512")
    sys.exit(77)


def predict(checkpoint, precision, frames, size):
    """Logits less their mean [videos, classes]: logs of probabilities are logits less a constant.
    The least ones are cut off, where float32 has no probabilities."""
    shown = json.loads(subprocess.run(
        [program, "predict", *videos, "--rgb", checkpoint, "--precision", precision, "--top", "1000",
         "--test-sample-duration", str(frames), "--spatial-size", str(size), "--json", "--quiet"],
        check=True, text=True, capture_output=True).stdout)
    logits = numpy.zeros((len(videos), 1000))
    for row, video in zip(logits, shown["videos"]):
        for answer in video["classes"]:
            row[answer["label"]] = numpy.log(max(answer["probability"], 1e-30))
    return logits - logits.mean(axis=1, keepdims=True)


def main():
    failed, same, errors, gaps = False, 0, [], []
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = pathlib.Path(folder) / "rgb.ckpt"
        subprocess.run([program, "inflate", weights, checkpoint, "--channels", "3", "--quiet"],
                       check=True, stdout=subprocess.DEVNULL)
        for frames, size in SIZES:
            wanted, got = (predict(checkpoint, precision, frames, size)
                           for precision in ("fp32", "bf16"))
            error = numpy.linalg.norm(got - wanted, axis=1) / numpy.linalg.norm(wanted, axis=1)
            errors.extend(error)
            failed |= error.max() > BOUND
            for video, a, b in zip(videos, wanted, got):
                best, found = (numpy.argsort(-logits, kind="stable")[:5] for logits in (a, b))
                same += (best == found).all()
                gaps.append(numpy.diff(numpy.sort(a)[-6:]).min())
                failed |= (abs(a[best] - a[found]) > APART).any()
                if (best != found).any():
                    print(f"{frames} x {size} x {size}, {video.name}: {best} is {found}, logits of "
                          f"{numpy.round(a[best], 3)} and {numpy.round(a[found], 3)}")
    print(f"bfloat16: logits off by {numpy.mean(errors):.5f} on average, {max(errors):.5f} at most; "
          f"{same} of {len(errors)} lists of the five best are the same; neighbours come as near as "
          f"{min(gaps):.4f}")
    return failed


sys.exit(1 if main() else 0)
