#!/usr/bin/python3
"""Inference beside a busy neighbour: bench/busy.py BUILD [--turns N] [--json FILE].

One process computes as fast as it can on one core while ours, two threads, runs a clip of
3 x 64 x 224 x 224 in fp32; in turns with it stopped. Once with libgomp as the program sets it, once
with libgomp's own defaults. Two threads beside a third on two cores have .67 of the machine. Ends
with 1 if the program's way keeps less than .6 of its lone speed.
"""
import argparse
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys

from engine import Worker

BAR = .6

parser = argparse.ArgumentParser()
parser.add_argument("build", type=pathlib.Path)
parser.add_argument("--turns", type=int, default=7)
parser.add_argument("--json", type=pathlib.Path)
arguments = parser.parse_args()

neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"])
kept = {}
try:
    for name, spins in (("as the program", {"GOMP_SPINCOUNT": "1000"}), ("libgomp's default", {})):
        os.environ.pop("GOMP_SPINCOUNT", None)
        os.environ.update(spins)
        worker = Worker([arguments.build / "bench" / "engine_bench", "infer", "fp32"])
        pairs = []
        for _ in range(arguments.turns):
            neighbour.send_signal(signal.SIGSTOP)
            lone = worker.seconds()
            neighbour.send_signal(signal.SIGCONT)
            pairs.append((lone, worker.seconds()))
        worker.finish()
        shares = [lone / beside for lone, beside in pairs]
        kept[name] = statistics.median(shares)
        print(f"{name}: alone {statistics.median(lone for lone, _ in pairs):.3f} s, beside the "
              f"neighbour {kept[name]:.2f} of that speed ({min(shares):.2f} to {max(shares):.2f})",
              flush=True)
finally:
    neighbour.kill()
if arguments.json:
    arguments.json.write_text(json.dumps(kept, indent=1) + "\n")
sys.exit(1 if kept["as the program"] < BAR else 0)
