#!/bin/sh
# scripts/device_check.sh without a card: programs that print what a card's would stand in their
# places. It makes a table and a JSON of them, and ends with 1 if a check of theirs failed.
set -eu
root=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/build/bench" "$work/build/check"

program() {
    printf '#!/bin/sh\n%s\n' "$2" >"$work/build/$1"
    chmod +x "$work/build/$1"
}
program check/check 'echo "kernel_norm ok"'
: >"$work/build/check/twins.so"
program bench/device_bench 'echo "A card, compute capability 9.0"
case $1 in
check) echo "ok   logits fp32 1e-6 of 1e-4"; echo "JSON check/logits/fp32 1e-6" ;;
time) echo "JSON time/forward/bf16/B8 8.5"; echo "JSON memory/forward/bf16/B8 900" ;;
esac'

BUILD=$work/build sh "$root/scripts/device_check.sh" "$work/good" >"$work/said" ||
    { cat "$work/said"; exit 1; }
grep -q '1 checks, 0 bad' "$work/good/table.txt"
grep -Eq '^time/forward/bf16/B8 +8\.5' "$work/good/table.txt"
python3 -c 'import json, sys
results = json.load(open(sys.argv[1]))
assert results["ours"]["check/logits/fp32"] == 1e-6, results
assert results["bad"] == [], results' "$work/good/results.json"

program bench/device_bench 'echo "A card"; echo "BAD  logits fp32 2e-1 of 1e-4"; exit 1'
if BUILD=$work/build sh "$root/scripts/device_check.sh" "$work/bad" >"$work/said"; then
    echo "a failed check was not told"
    exit 1
fi
grep -q 'BAD  logits' "$work/bad/table.txt"
