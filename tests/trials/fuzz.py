#!/usr/bin/env python3
"""Fuzzes each reader: fuzz.py BUILD [--seconds N] [--target NAME]... [--csv FILE].

BUILD is made with the preset fuzz (clang, address and undefined behaviour sanitizers). Each target
begins from its seeds; what it finds lies in BUILD/found. Ends with 1 if one found something.
"""
import argparse
import pathlib
import re
import subprocess
import sys

import trial

# What files of a target are made of, for those whose bytes seldom become a sentence by themselves.
WORDS = pathlib.Path(__file__).resolve().parent.parent / "fuzz/words"


def try_target(build, name, seconds):
    corpus, found = build / "corpus" / name, build / "found"
    corpus.mkdir(parents=True, exist_ok=True)
    found.mkdir(exist_ok=True)
    command = [build / "tests/fuzz" / f"fuzz_{name}", f"-max_total_time={seconds}",
               "-max_len=2097152", "-timeout=10", "-rss_limit_mb=1024",
               f"-artifact_prefix={found}/{name}-", "-verbosity=0", "-print_final_stats=1",
               *(f"-dict={path}" for path in WORDS.glob(f"{name}.dict")), corpus,
               build / "tests/fuzz/seeds" / name]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    runs = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    if done.returncode:
        print(done.stderr[-3000:])
    print(f"{name}: {runs[1] if runs else '?'} inputs in {seconds} s, "
          f"{'something found' if done.returncode else 'nothing found'}", flush=True)
    return {"what": name, "seconds": seconds, "inputs": int(runs[1]) if runs else -1,
            "found": int(done.returncode != 0)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--target", action="append")
    parser.add_argument("--csv", type=pathlib.Path)
    arguments = parser.parse_args()
    build = arguments.build.resolve()

    def attempt(name):
        row = try_target(build, name, arguments.seconds)
        return row, row["found"]

    targets = arguments.target or sorted(path.name
                                         for path in (build / "tests/fuzz/seeds").iterdir())
    return trial.try_all(targets, attempt, arguments.csv)


if __name__ == "__main__":
    sys.exit(main())
