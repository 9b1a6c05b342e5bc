#!/usr/bin/python3
"""Peak memory of reading a weight file against the weights in it: bench/weights.py BUILD
[--megabytes N] [--json FILE].

Weights of N MB (random float32, as hard to pack as trained ones) are written in each format that
`i3d convert` writes, by numpy and by Python's zipfile in the packed forms, an I3D inflated from
../shared/data/weights as .onnx and .mindir, and read one file a process. Files of a megabyte or more
in ../shared/data/formats are read too where they are present.
Ends with 1 if one takes more than 2.5 times its weights.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import numpy as np

BAR = 2.5
GOOGLENET = pathlib.Path(__file__).resolve().parent.parent / \
    "../shared/data/weights/bvlc_googlenet_oihw_f16.npz"
FORMATS = pathlib.Path(__file__).resolve().parent.parent / "../shared/data/formats"


def pack(source, target):
    """The same zip archive with its entries deflated."""
    with zipfile.ZipFile(source) as old, \
            zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))


def run(*words):
    subprocess.run([*words, "--quiet"], check=True, stdout=subprocess.DEVNULL)


def make(i3d, folder, megabytes):
    generator = np.random.default_rng(0)
    arrays = {f"layer{i}.weight": generator.standard_normal(1 << 18, np.float32).reshape(512, 512)
              for i in range(megabytes)}
    np.savez(folder / "numpy.npz", **arrays)
    np.savez_compressed(folder / "packed.npz", **arrays)
    np.savez_compressed(folder / "fortran.npz",
                        **{name: np.asfortranarray(array) for name, array in arrays.items()})
    for name in ("weights.ckpt", "weights.pt", "weights.safetensors"):
        run(i3d, "convert", folder / "numpy.npz", folder / name)
    pack(folder / "weights.pt", folder / "packed.pt")
    if GOOGLENET.exists():
        run(i3d, "inflate", GOOGLENET, folder / "i3d.ckpt")
        run(i3d, "export", folder / "i3d.ckpt", folder / "i3d.onnx", "--no-verify")
        run(i3d, "export", folder / "i3d.ckpt", folder / "i3d.mindir", "--no-verify")
    return sorted(folder.iterdir())


def shared():
    kinds = (".pt", ".pth", ".ckpt", ".mindir", ".index", ".safetensors", ".onnx", ".npz")
    files = [path for path in sorted(FORMATS.rglob("*")) if path.suffix in kinds]
    return [path for path in files
            if path.suffix == ".index" or path.stat().st_size >= 1 << 20]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--megabytes", type=int, default=96)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    bench = arguments.build / "bench/weights_bench"
    rows, worst = [], 0
    print(f"{'file':<40} {'weights MB':>10} {'peak MB':>8} {'times':>6}")
    with tempfile.TemporaryDirectory() as folder:
        made = make(arguments.build / "cli/i3d", pathlib.Path(folder), arguments.megabytes)
        for path in made + shared():
            read = subprocess.run([bench, path], capture_output=True, text=True, check=False)
            if read.returncode:
                continue
            weights, peak = (int(word) for word in read.stdout.split()[:2])
            if weights < 1 << 20:
                continue
            rows.append({"file": path.name, "weights": weights, "peak": peak})
            worst = max(worst, peak / weights)
            print(f"{path.name:<40} {weights / 2**20:10.1f} {peak / 2**20:8.1f} "
                  f"{peak / weights:6.2f}")
    print(f"at most {worst:.2f} times the weights (bar {BAR})")
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(rows, indent=2) + "\n")
    return 0 if rows and worst <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
