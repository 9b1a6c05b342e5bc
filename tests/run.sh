#!/bin/sh
# Runs ctest in a build folder and ends with one line that counts: run.sh BUILD [ctest arguments].
# The count is also left in BUILD/counts ("passed failed skipped"), for whoever adds several up.
set -u
build=$1
shift
log=$build/ctest.log

# Threads that wait leave the cores to other tests, as the program has it.
export GOMP_SPINCOUNT="${GOMP_SPINCOUNT:-1000}"

ctest --test-dir "$build" --output-on-failure "$@" 2>&1 | tee "$log"

passed=$(grep -c '^ *[0-9]*/[0-9]* Test .* Passed ' "$log")
skipped=$(grep -c '^ *[0-9]*/[0-9]* Test .*\*\*\*Skipped ' "$log")
failed=$(($(grep -c '^ *[0-9]*/[0-9]* Test ' "$log") - passed - skipped))
echo "$passed $failed $skipped" >"$build/counts"
echo "$passed passed, $failed failed, $skipped skipped"
# A run that was ended before its last test has no such line.
grep -q ' tests passed, .* out of ' "$log" && [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
