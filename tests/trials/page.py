#!/usr/bin/env python3
"""doc/reliability.md from the counts of the trials: page.py [--check]."""
import csv
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parent.parent / "doc/reliability.md"

HEAD = """# Reliability

What was tried to break the program, and how often. `make trials` does all of it (hours) and writes
`tests/trials/results/*.csv`, of which `tests/trials/page.py` makes this page; `make test` does a
little of each. What the program promises is in [SECURITY.md](../SECURITY.md).
"""

TRIALS = (
    ("fuzz", "Readers fed with any bytes",
     "libFuzzer with address and undefined-behaviour sanitizers, from small true files and the "
     "words of their formats (`tests/fuzz`). Found: crashes, hangs of 10 s, memory beyond 1 GB."),
    ("call_sites", "Each call site fails once",
     "Each request for memory, open, new folder, write, sync and rename of the program, told apart "
     "by the places that led to it, fails in a run of its own. Wrong: a crash, a failure without a "
     "word, a side file, a file that no whole run has, a 0 without all results."),
    ("kills", "Killed at any moment",
     "SIGKILL at moments spread over the run. Wrong: an output that is neither whole nor absent, or "
     "another byte than a run that was never killed has, after it went on."),
    ("leaks", "Leaks", "valgrind, with the plain C engine."),
)


def table(path):
    rows = list(csv.DictReader(path.open()))
    names = list(rows[0])
    lines = [" | ".join(names), " | ".join("---" for _ in names)]
    lines += [" | ".join(row[name] for name in names) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def page():
    parts = [HEAD]
    for name, title, text in TRIALS:
        path = HERE / "results" / f"{name}.csv"
        if path.exists():
            parts.append(f"## {title}\n\n{text}\n\n{table(path)}\n")
    return "\n".join(parts)


def main():
    if "--check" in sys.argv:
        return 0 if PAGE.read_text() == page() else 1
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
