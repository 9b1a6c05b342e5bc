#!/usr/bin/env python3
"""Makes each call site of the program fail once, one run each: call_sites.py I3D FAIL_ONCE
[--command NAME]... [--every N] [--csv FILE].

A site is a request for memory, an open, a folder made, a write, a sync or a rename, told by the places of the program that led to
it (fail_once.c). The run must end with 1 and a sentence, or with 0 and all that a whole run leaves;
it may not crash or hang, leave a side file, or a file that no whole run has. Ends with 1 if one did.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import trial


def judge(place, whole, code, said):
    if code not in (0, 1, 2):
        return f"ended with {code}"
    lines = said.strip().splitlines()
    if code and not (lines and lines[-1].startswith("i3d: ")):
        return "failed without a word"
    if list((place.folder / "out").rglob("*.part")):
        return "left a side file"
    if place.half_made(whole):
        return f"half-made: {place.half_made(whole)[:3]}"
    if code == 0 and set(place.content()) != set(whole):
        return "ended with 0, but not all is there"
    return None


def try_command(place, library, name, every):
    words, log = trial.COMMANDS[name], place.folder / "sites"
    log.unlink(missing_ok=True)
    place.clear()
    code, said = place.run(words, LD_PRELOAD=library, I3D_FAULT_LOG=str(log))
    if code:
        raise SystemExit(f"{name} fails by itself: {said}")
    whole, wrong, told = place.content(), 0, 0
    sites = sorted(set(log.read_text().split()))[::every]
    for site in sites:
        place.clear()
        try:
            code, said = place.run(words, LD_PRELOAD=library, I3D_FAULT_SITE=site)
        except subprocess.TimeoutExpired:
            code, said = "a timeout", ""
        verdict = judge(place, whole, code, said)
        told += code == 1
        if verdict:
            wrong += 1
            print(f"{name} {site}: {verdict}\n{said}", flush=True)
    print(f"{name}: {len(sites)} sites, {told} ended with a message, {wrong} wrong", flush=True)
    return {"what": name, "sites": len(sites), "told": told, "wrong": wrong}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("i3d")
    parser.add_argument("library")
    parser.add_argument("--command", action="append", choices=trial.COMMANDS)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--csv", type=pathlib.Path)
    arguments = parser.parse_args()
    library = str(pathlib.Path(arguments.library).resolve())
    with tempfile.TemporaryDirectory() as folder:
        place = trial.Place(arguments.i3d, folder)

        def attempt(name):
            row = try_command(place, library, name, arguments.every)
            return row, row["wrong"]

        return trial.try_all(arguments.command or trial.COMMANDS, attempt, arguments.csv)


if __name__ == "__main__":
    sys.exit(main())
