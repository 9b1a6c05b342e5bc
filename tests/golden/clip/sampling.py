"""Writes sampling.txt: which frames the original's temporal crops choose, and where its centre crop
lies, from its rules written anew in Python (frames counted from 0).

    python3 sampling.py > sampling.txt
"""

import random


def loop(indices, size):
    out = list(indices)
    for index in out:
        if len(out) >= size:
            break
        out.append(index)
    return out


def centre(n, size):
    begin = max(0, n // 2 - size // 2)
    return loop(range(n)[begin : min(begin + size, n)], size)


def randomly(n, size):
    begin = random.randint(0, max(0, n - size - 1))
    return loop(range(n)[begin : min(begin + size, n)], size)


random.seed(1)
cases = [(1, 1), (1, 8), (3, 8), (7, 8), (8, 8), (9, 8), (10, 8), (5, 3), (4, 3), (17, 8), (20, 7)]
for n, size in cases:
    print("centre", n, size, *centre(n, size))
for n, size in cases:
    drawn = [randomly(n, size) for _ in range(2000)]
    print("random", n, size, *min(drawn), *max(drawn))
for n in [224, 225, 226, 227, 228, 229, 230, 231, 240, 256, 320, 341, 427, 455]:
    print("crop", n, 224, int(round((n - 224) / 2.0)))
