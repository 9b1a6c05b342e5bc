#!/usr/bin/env python3
"""A table of ours beside PyTorch's: bench/device.py OURS TORCH [--json FILE]

OURS and TORCH hold what device_bench and device_torch.py printed on the same card. Ends with 1 if a
check of ours failed.
"""
import argparse
import json
import pathlib
import sys


def read(path):
    numbers, words = {}, []
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith("JSON "):
            name, value = line[5:].rsplit(" ", 1)
            numbers[name] = float(value)
        else:
            words.append(line)
    return numbers, words


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ours")
    parser.add_argument("torch")
    parser.add_argument("--json")
    options = parser.parse_args()
    ours, words = read(options.ours)
    peer, peer_words = read(options.torch)
    bad = [line for line in words if line.startswith("BAD")]
    print(words[0] if words else "", "|", peer_words[0] if peer_words else "no PyTorch")
    print(f"{'':32}{'ours':>10}{'PyTorch':>10}{'ratio':>8}")
    for name in sorted(set(ours) | set(peer)):
        if name.startswith("check/"):
            continue
        a, b = ours.get(name), peer.get(name)
        ratio = f"{b / a:8.2f}" if a and b else ""
        print(f"{name:32}{a if a is not None else '':>10}{b if b is not None else '':>10}{ratio}")
    print(f"{sum(name.startswith('check/') for name in ours)} checks, {len(bad)} bad")
    for line in bad:
        print(line)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(
            {"card": words[:1], "peer": peer_words[:1], "ours": ours, "torch": peer, "bad": bad},
            indent=1) + "\n")
    sys.exit(1 if bad or not ours else 0)


if __name__ == "__main__":
    main()
