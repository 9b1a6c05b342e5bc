"""What the trials share: tiny data, the commands that are tried, and what a run may leave."""
import csv
import json
import os
import pathlib
import shutil
import subprocess

# Files whose content tells when they were made, or what went wrong.
VARIABLE = {"log.jsonl", "failures.csv", "config.json", ".lock", ".run",
            "test_perform_static.txt"}

DATA = ("--source video --size 0 --video-path v --annotation-path a.json --resize 0").split()
SMALL = ("--train-sample-duration 8 --spatial-size 32 --batch-size 2 --threads 1 --num-workers 1 "
         "--num-epochs 2 --optimizer sgd --lr 1e-4").split()
CLIP = "--test-sample-duration 8 --spatial-size 32".split()
ONE = ["--jobs", "1"]
FLOW = pathlib.Path(__file__).resolve().parent.parent / "golden/flow/smooth.flo"

# Each writes to the folder "out" only, but for its standard output.
COMMANDS = {
    "synth": ["synth", "out/v", "--classes", "2", "--videos-per-class", "2", "--frames", "4",
              "--size", "48", *ONE],
    "frames": ["frames", "v", "out/rgb", "--size", "32", *ONE],
    "frames-mkv": ["frames", "v", "out/rgb", "--size", "32", "--store", "mkv", *ONE],
    "flow": ["flow", "--from-videos", "v", "out/flow", "--size", "32", "--preset", "turbo", *ONE],
    "prepare": ["prepare", "mine", "v", "out", "--split", "v/split.csv", "--size", "32",
                "--preset", "turbo", *ONE],
    "annotate": ["annotate", "folder", "v", "out/a.json", "--split", "v/split.csv", *ONE],
    "nframes": ["nframes", "jpg"],
    "inspect": ["inspect", "best.ckpt"],
    "convert": ["convert", "best.ckpt", "out/best.safetensors"],
    "convert-pt": ["convert", "best.ckpt", "out/best.pt"],
    "export": ["export", "best.ckpt", "out/net.onnx", "--test-sample-duration", "9",
               "--spatial-size", "33"],
    "train": ["train", *DATA, *SMALL, "--checkpoint-path", "best.ckpt", "--finetune-prefixes",
              "logits", "--save-dir", "out/run"],
    "eval": ["eval", *DATA, *CLIP, "--rgb", "best.ckpt", "--threads", "1", "--num-workers", "1",
             "--save-dir", "out/result"],
    "predict": ["predict", "v/up/up_g01_c01.avi", "--rgb", "best.ckpt", "--size", "0",
                "--threads", "1", *CLIP],
    "preprocess": ["preprocess", *DATA, *CLIP, "--dataset", "s", "--batch-size", "1",
                   "--num-workers", "1", "--root", "out"],
    "infer": ["infer", "raw/preprocess_Result/data/s/rgb", "--model", "best.ckpt", *CLIP,
              "--batch-size", "1", "--threads", "1", "--root", "out"],
    "postprocess": ["postprocess", "--dataset", "s", "--root", "raw", "--save-dir", "out/result"],
    "flow-error": ["flow-error", str(FLOW), str(FLOW)],
}


def is_annotation(name, data):
    """Whole JSON: an annotation lists the videos that are finished, which may be fewer."""
    try:
        return name.endswith(".json") and bool(json.loads(data))
    except ValueError:
        return False


class Place:
    """A folder with the data that every command reads."""

    def __init__(self, i3d, folder):
        self.i3d, self.folder = str(pathlib.Path(i3d).resolve()), pathlib.Path(folder)
        self.must("synth", "v", "--classes", "2", "--videos-per-class", "4", "--frames", "10",
                  "--size", "48")
        self.must("annotate", "folder", "v", "a.json", "--split", "v/split.csv")
        self.must("frames", "v", "jpg", "--size", "32")
        self.must("train", *DATA, *SMALL, "--save-dir", "start")
        shutil.copy(self.folder / "start/checkpoints/best.ckpt", self.folder / "best.ckpt")
        self.must("preprocess", *DATA, *CLIP, "--dataset", "s", "--batch-size", "1", "--root", "raw")
        self.must("infer", "raw/preprocess_Result/data/s/rgb", "--model", "best.ckpt", *CLIP,
                  "--batch-size", "1", "--root", "raw")

    def must(self, *words):
        subprocess.run([self.i3d, *words, "--quiet"], cwd=self.folder, check=True,
                       stdout=subprocess.DEVNULL)

    def clear(self):
        shutil.rmtree(self.folder / "out", ignore_errors=True)
        (self.folder / "out").mkdir()

    def run(self, words, timeout=120, **environment):
        """The exit status and what was said."""
        done = subprocess.run([self.i3d, *words], cwd=self.folder, capture_output=True,
                              timeout=timeout, env={**os.environ, **environment}, check=False)
        return done.returncode, done.stderr.decode(errors="replace")

    def content(self):
        out = self.folder / "out"
        return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*"))
                if path.is_file() and path.name not in VARIABLE}

    def half_made(self, whole):
        """What lies in out and in no whole run."""
        found = self.content()
        return [name for name, data in found.items()
                if whole.get(name) != data and not is_annotation(name, data)
                # An answer that infer keeps aside until all are there.
                and whole.get(name.replace("/.rgb/", "/")) != data]


def append(path, row):
    """A row of a trial's CSV, in place of the row of the same name."""
    path = pathlib.Path(path)
    rows = list(csv.DictReader(path.open())) if path.exists() else []
    rows = [old for old in rows if old["what"] != row["what"]] + [row]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(row), lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(rows, key=lambda old: old["what"]))


def try_all(names, attempt, path):
    """attempt(name) gives a row and whether it went wrong; the row goes into the CSV at `path`, if
    there is one. The exit status: 1 if one went wrong."""
    failed = False
    for name in names:
        row, wrong = attempt(name)
        failed |= bool(wrong)
        if path:
            append(path, row)
    return 1 if failed else 0
