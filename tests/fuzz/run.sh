#!/bin/sh
# Runs every fuzzer of a build made with the preset fuzz, from its seeds: run.sh BUILD SECONDS.
# Ends with 1 if any found something; what it found lies in BUILD/found.
set -u
build=$1 seconds=$2 failed=0
mkdir -p "$build/found"
for seeds in "$build"/tests/fuzz/seeds/*/; do
    name=$(basename "$seeds")
    corpus=$build/corpus/$name
    mkdir -p "$corpus"
    echo "fuzz_$name: $seconds s"
    "$build/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -max_len=2097152 -timeout=10 \
        -rss_limit_mb=1024 -artifact_prefix="$build/found/$name-" -verbosity=0 \
        -print_final_stats=1 "$corpus" "$seeds" || failed=1
done
exit $failed
