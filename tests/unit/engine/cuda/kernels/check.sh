#!/bin/sh
# src/engine/cuda/check, whose card is this process with the twins that run backwards: all kernels
# agree, and where a result is made wrong it says so: check.sh CHECK TWINS
set -eu
out=$("$1" -c "$2")
echo "$out" | tail -1 | grep -x "all agree"
[ "$(echo "$out" | grep -c "error 0.0e+00   agrees")" -gt 40 ]
for kernel in norm step weights; do
    case $kernel in step) kernel="check and step" ;; esac
    if out=$(CARD_WRONG=1 "$1" -c "$2" "$kernel"); then
        echo "a wrong $kernel was not seen"
        exit 1
    fi
    echo "$out" | tail -1 | grep -x "SOME DIFFER"
done
