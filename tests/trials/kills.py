#!/usr/bin/env python3
"""Kills commands at moments spread over their time and lets them go on: kills.py I3D [--kills N]
[--command NAME]... [--csv FILE].

After each kill every output is whole or absent (a side file may lie there, which the next run
removes); the command run again ends with 0 and the bytes of a run that was never killed. `train`
goes on with --resume. Ends with 1 if one did not.
"""
import argparse
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import trial

COMMANDS = ("prepare", "flow", "train", "convert", "export", "eval")


def is_side(name):
    return any(part.startswith(".") for part in pathlib.Path(name).parts)


def again(place, name):
    """How the command goes on."""
    checkpoints = place.folder / "out/run/checkpoints"
    if name == "train" and list(checkpoints.glob("i3d-*.ckpt")):
        return ["train", "--resume", "out/run"]
    return trial.COMMANDS[name]


def kill_at(place, words, delay):
    """True if it was still running."""
    with subprocess.Popen([place.i3d, *words], cwd=place.folder, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as running:
        time.sleep(delay)
        running.kill()
        return running.wait() == -signal.SIGKILL


def try_command(place, name, kills):
    words = trial.COMMANDS[name]
    place.clear()
    begin = time.monotonic()
    code, said = place.run(words)
    seconds = time.monotonic() - begin
    if code:
        raise SystemExit(f"{name} fails by itself: {said}")
    whole, wrong, hit = place.content(), 0, 0
    for kill in range(kills):
        place.clear()
        hit += kill_at(place, words, seconds * (kill + .5) / kills)
        half = [part for part in place.half_made(whole) if not is_side(part)]
        code, said = place.run(again(place, name))
        after = place.content()
        if half or code or after != whole:
            wrong += 1
            print(f"{name}, kill {kill}: half-made {half[:3]}, then {code} {said[-300:]} "
                  f"{[key for key in set(after) | set(whole) if after.get(key) != whole.get(key)]}",
                  flush=True)
    print(f"{name}: {kills} moments, {hit} killed while it ran, {wrong} wrong", flush=True)
    return {"what": name, "moments": kills, "killed": hit, "wrong": wrong}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("i3d")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--command", action="append", choices=COMMANDS)
    parser.add_argument("--csv", type=pathlib.Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = trial.Place(arguments.i3d, folder)

        def attempt(name):
            row = try_command(place, name, arguments.kills)
            return row, row["wrong"]

        return trial.try_all(arguments.command or COMMANDS, attempt, arguments.csv)


if __name__ == "__main__":
    sys.exit(main())
