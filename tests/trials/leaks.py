#!/usr/bin/env python3
"""What each command leaks, by valgrind: leaks.py I3D [--command NAME]... [--csv FILE].

Counted are bytes that nothing points to any more when the program ends (definitely and indirectly
lost) of calls from the program or the libraries under it. Ends with 1 if there are any, or valgrind
saw another error.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import trial

COMMANDS = ("train", "eval", "predict", "convert")


def try_command(place, name):
    place.clear()
    engine = ["--engine", "reference"] if name != "convert" else []
    # With GOMP_SPINCOUNT the program does not start itself once more, out of valgrind's sight.
    done = subprocess.run(["valgrind", "--leak-check=full", "--errors-for-leak-kinds=none",
                           place.i3d, *trial.COMMANDS[name], *engine],
                          cwd=place.folder, capture_output=True, text=True, check=False,
                          env={**os.environ, "GOMP_SPINCOUNT": "1000"})
    lost = sum(int(number.replace(",", "")) for number in
               re.findall(r"(?:definitely|indirectly) lost: ([\d,]+) bytes", done.stderr))
    errors = re.search(r"ERROR SUMMARY: (\d+) errors", done.stderr)
    wrong = done.returncode != 0 or not errors or int(errors[1]) > 0 or lost > 0
    if wrong:
        print(done.stderr[-3000:])
    print(f"{name}: {lost} bytes lost, {errors[1] if errors else '?'} errors", flush=True)
    return {"what": name, "bytes lost": lost, "errors": int(errors[1]) if errors else -1}, wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("i3d")
    parser.add_argument("--command", action="append", choices=COMMANDS)
    parser.add_argument("--csv", type=pathlib.Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = trial.Place(arguments.i3d, folder)
        return trial.try_all(arguments.command or COMMANDS, lambda name: try_command(place, name),
                             arguments.csv)


if __name__ == "__main__":
    sys.exit(main())
