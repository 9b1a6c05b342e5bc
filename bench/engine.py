#!/usr/bin/python3
"""Our cpu engine beside PyTorch in one run: bench/engine.py BUILD [--turns N] [--json FILE]; or
beside an older one of ours: --before BUILD, a release build of that commit.

BUILD is a folder built by `cmake --build`. For each task two processes, ours and PyTorch's, plan and
warm up; then they take turns, one run each, batch 1, 3 x 64 x 224 x 224, two threads. Printed are
the ratios of PyTorch's time to ours, pair by pair, and of the peak memories. Ends with 1 if a ratio
is below its bar.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent

# task, precision: the least ratio of times, and the most of memories (ours to PyTorch's)
BARS = {
    ("infer", "fp32"): (2.5, .6),
    ("infer", "bf16"): (2, None),
    ("train", "fp32"): (2, 1),
    ("tune", "fp32"): (2.2, 1),
}


class Worker:
    def __init__(self, command):
        self.process = subprocess.Popen([str(part) for part in command], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.read()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"bench/engine.py: '{self.process.args[0]}' ended early")
        return line.strip()

    def seconds(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.read())

    def finish(self):
        """Peak memory in bytes."""
        self.process.stdin.close()
        peak = int(self.read())
        self.process.wait()
        return peak


# The same against version 0.1.0, on AVX2, which has no bf16.
BARS_BEFORE = {
    ("infer", "fp32"): (1.9, None),
    ("train", "fp32"): (2.3, 1.3),
    ("tune", "fp32"): (1.8, None),
}


def compare(build, before, task, precision, size, turns):
    ours = Worker([build / "bench" / "engine_bench", task, precision, *size])
    theirs = Worker([before / "bench" / "engine_bench", task, precision, *size] if before else
                    ["/usr/bin/python3", HERE / "engine_torch.py", task, precision, *size])
    pairs = [(ours.seconds(), theirs.seconds()) for _ in range(turns)]
    return {"task": task, "precision": precision, "pairs": pairs,
            "ratio": statistics.median(b / a for a, b in pairs),
            "bytes": (ours.finish(), theirs.finish())}


def report(result, bars):
    """Whether the bars are passed."""
    time_bar, memory_bar = bars[result["task"], result["precision"]]
    ours, theirs = (statistics.median(times) for times in zip(*result["pairs"]))
    memory = result["bytes"][0] / result["bytes"][1]
    print(f"{result['task']} {result['precision']}: {ours:.3f} s against {theirs:.3f} s, "
          f"{result['ratio']:.2f} times (bar {time_bar}); pairs "
          + " ".join(f"{b / a:.2f}" for a, b in result["pairs"])
          + f"; peak {result['bytes'][0] / 1e6:.0f} MB against {result['bytes'][1] / 1e6:.0f} MB, "
          f"{memory:.2f} times (bar {memory_bar or 'none'})", flush=True)
    return result["ratio"] >= time_bar and (memory_bar is None or memory <= memory_bar)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--task", help="only this one: infer, train or tune")
    parser.add_argument("--size", type=int, nargs=3, default=[64, 224, 224])
    parser.add_argument("--before", type=pathlib.Path, help="a build to compare with, not PyTorch")
    parser.add_argument("--json", type=pathlib.Path)
    given = parser.parse_args()
    results, passed = [], True
    bars = BARS_BEFORE if given.before else BARS
    for task, precision in bars:
        if given.task in (None, task):
            results.append(compare(given.build, given.before, task, precision, given.size,
                                   given.turns))
            passed &= report(results[-1], bars)
    print(subprocess.run([given.build / "bench" / "engine_bench", "parts", "fp32",
                          *map(str, given.size)], check=True, text=True,
                         capture_output=True).stdout.splitlines()[-1])
    if given.json:
        given.json.write_text(json.dumps(results, indent=1))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
